//! Two versions of a slice in one window, and their difference.

use super::{
    Display,
    canvas::Palette,
    panel::{Panel, PanelKind, in_unit},
    sheet::{Sheet, draw_sheet},
};
use crate::error::Result;

/// Largest side of a panel.
const LARGEST: usize = 640;

/// A slice twice.
#[derive(Clone, Debug)]
pub(crate) struct SlicePair<'a> {
    /// Width and height.
    pub size: (usize, usize),
    pub display: Display,
    pub unit: &'a str,
    pub title: String,
    /// What the one, the other, and the one minus the other are called.
    pub names: [&'static str; 3],
    /// The difference that has the strongest color.
    pub reach: f64,
    /// Values, row by row.
    pub a: &'a [f64],
    pub b: &'a [f64],
}

/// Draws both and the one minus the other as a PNG file.
pub(crate) fn draw_pair(pair: &SlicePair<'_>) -> Result<Vec<u8>> {
    let Display { low, high, inverted } = pair.display;
    let palette = if inverted { Palette::InvertedGray } else { Palette::Gray };
    let unit = in_unit(pair.unit);
    let window = format!("shown: {low:.0} to {high:.0}{unit}");
    let caption = |name: &str, shown: String| vec![name.to_owned(), shown];
    let [one, other, difference] = pair.names;
    // The other is drawn as a composite is.
    let panels = [
        Panel { kind: PanelKind::Original, low, high, palette, caption: caption(one, window.clone()) },
        Panel {
            kind: PanelKind::Composite { index: 0 },
            low,
            high,
            palette,
            caption: caption(other, window),
        },
        Panel {
            kind: PanelKind::Difference { index: 0 },
            low: -pair.reach,
            high: pair.reach,
            palette: Palette::Diverging,
            caption: caption(difference, format!("shown: within \u{b1}{:.1}{unit}", pair.reach)),
        },
    ];
    let images = panels.each_ref().map(|panel| {
        let mut bytes = Vec::with_capacity(pair.a.len());
        let none: &[f64] = &[];
        panel.append_pixels(pair.a.len(), pair.a, pair.b, none.chunks_exact(1), &mut bytes);
        bytes
    });
    let sheet = Sheet {
        name: "",
        title: pair.title.clone(),
        columns: panels.len(),
        largest: LARGEST,
        panels: panels.iter().zip(&images).collect(),
    };
    draw_sheet(&sheet, pair.size).to_png()
}
