//! The listing as text: a row per series, what is wrong with each below it, and what else the folder holds.

use comfy_table::{CellAlignment, Table, presets};
use tomobasis_dicom::{Inventory, SeriesSummary, SliceRole, decimals};

/// Column, whether numbers are in it, and its text for a series.
type Column = (&'static str, bool, fn(&SeriesSummary) -> String);
#[rustfmt::skip]
const COLUMNS: [Column; 14] = [
    ("series", false, |series| series.id.clone()),
    ("no.", true, |series| series.series_number.map_or(ABSENT.to_owned(), |number| number.to_string())),
    ("kind", false, kind),
    ("slices", true, |series| series.slices.to_string()),
    ("rows x columns", true, |series| format!("{} x {}", series.rows, series.columns)),
    ("pixel, mm", true, |series| {
        series.pixel_spacing_mm.map_or(ABSENT.to_owned(), |pixel| pixel.map(decimals).join(" x "))
    }),
    ("step, mm", true, |series| series.slice_spacing_mm.map_or(ABSENT.to_owned(), decimals)),
    ("kernel", false, |series| all(&series.kernels)),
    ("kVp", true, |series| range(series.kvp)),
    ("mA", true, |series| range(series.tube_current_ma)),
    ("mAs", true, |series| range(series.exposure_mas)),
    ("CTDIvol, mGy", true, |series| range(series.ctdi_vol_mgy)),
    ("problems", true, |series| series.problems.len().to_string()),
    ("transfer syntax", false, |series| all(&series.transfer_syntaxes)),
];

/// What stands where the headers say nothing.
const ABSENT: &str = "-";

pub(super) fn listing(inventory: &Inventory, series: &[SeriesSummary]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(COLUMNS.map(|(name, ..)| name));
    table.add_rows(series.iter().map(|one| COLUMNS.map(|(_, _, text)| text(one))));
    for (column, (_, numbers, _)) in table.column_iter_mut().zip(COLUMNS) {
        column.set_padding((0, 2));
        column.set_cell_alignment(if numbers { CellAlignment::Right } else { CellAlignment::Left });
    }
    let mut paragraphs = vec![table.trim_fmt()];
    for one in series.iter().filter(|one| !one.problems.is_empty()) {
        let problems = one.problems.iter().map(|problem| format!("  ! {problem}"));
        paragraphs.push([one.id.clone()].into_iter().chain(problems).collect::<Vec<_>>().join("\n"));
    }
    let mut rest = vec![files(inventory)];
    if series.iter().any(|one| one.role != SliceRole::Original) {
        rest.push(
            "localizer series (by Image Type) are decomposed only when --series names them, derived ones also where there \
             are no others"
                .to_owned(),
        );
    }
    rest.extend(inventory.unusable().iter().map(|problem| format!("! {problem}")));
    paragraphs.push(rest.join("\n"));
    paragraphs.join("\n\n")
}

/// How many files are what.
fn files(inventory: &Inventory) -> String {
    let counts = inventory.counts();
    let brackets = |kinds: String| if kinds.is_empty() { kinds } else { format!(" ({kinds})") };
    let (kinds, packed) = (brackets(inventory.kinds()), brackets(inventory.packed_kinds()));
    let unread = inventory.unread_kinds();
    let unread = if unread.is_empty() { unread } else { format!("; not read: {unread}") };
    format!(
        "{} files: {} slices, {} not DICOM{packed}, {} without slices{kinds}, {} broken{unread}",
        counts.files, counts.slices, counts.not_dicom, counts.not_images, counts.broken
    )
}

fn kind(series: &SeriesSummary) -> String {
    let role = match series.role {
        SliceRole::Original => "",
        SliceRole::Derived => " derived",
        SliceRole::Localizer => " localizer",
    };
    let kind = format!("{} {}{role}", series.modality, series.plane);
    std::iter::once(kind).chain(series.part.iter().cloned()).collect::<Vec<_>>().join(", ")
}

fn range(values: Option<(f64, f64)>) -> String {
    match values.map(|(low, high)| (decimals(low), decimals(high))) {
        None => ABSENT.to_owned(),
        Some((low, high)) if low == high => low,
        Some((low, high)) => format!("{low} to {high}"),
    }
}

fn all(texts: &[String]) -> String {
    if texts.is_empty() { ABSENT.to_owned() } else { texts.join(", ") }
}
