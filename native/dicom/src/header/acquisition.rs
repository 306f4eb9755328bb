//! How a slice was acquired and reconstructed: what tells the volumes of one series apart (`series::aspects`).
//!
//! All of it is optional in a header. Numbers and codes only; times are kept for their order and never shown.

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::needed::{GE_PARAMETERS, GE_RAW_DATA_TYPE, NeededElements};
use super::values::{self, integer, text};

/// Part of a complex image (PS3.3 C.8.13.3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Component {
    /// Magnitude, and any image that is no part of a complex one.
    #[default]
    Magnitude,
    /// Phase.
    Phase,
    /// Real part.
    Real,
    /// Imaginary part.
    Imaginary,
    /// Several of them.
    Mixed,
}

/// The settings and times of one slice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Acquisition {
    /// Complex Image Component, or what Image Type or GE's Raw Data Type says of it.
    pub component: Component,
    /// Acquisition Number.
    pub number: Option<i64>,
    /// Stack ID of a frame. Never shown.
    pub stack: Option<String>,
    /// Slice Thickness, mm.
    pub thickness_mm: Option<f64>,
    /// Echo Numbers.
    pub echo: Option<i64>,
    /// Echo Time, ms.
    pub echo_ms: Option<f64>,
    /// Inversion Time, ms.
    pub inversion_ms: Option<f64>,
    /// Flip Angle, degrees.
    pub flip_degrees: Option<f64>,
    /// Diffusion b-value, s/mm2.
    pub b_value: Option<f64>,
    /// Diffusion Gradient Orientation.
    pub gradient: Option<[f64; 3]>,
    /// Nominal Percentage of Cardiac Phase.
    pub cardiac_percent: Option<f64>,
    /// Nominal Percentage of Respiratory Phase.
    pub respiratory_percent: Option<f64>,
    /// Trigger Time or Nominal Cardiac Trigger Delay Time, ms.
    pub trigger_ms: Option<f64>,
    /// Frame Reference Time or Temporal Position Time Offset.
    pub reference_time: Option<f64>,
    /// Acquisition DateTime: a number that orders them, to the microsecond; not a distance.
    pub acquired: Option<i64>,
    /// Content Date and Time, likewise.
    pub content: Option<i64>,
}

impl Acquisition {
    pub(super) fn read(needed: &NeededElements, modality: &str, image_type: &[String]) -> Self {
        let number = |tag| values::number(tag, needed.get(tag)?);
        let whole = |tag| needed.get(tag).and_then(integer);
        let three = |value| match *values::numbers(tags::DIFFUSION_GRADIENT_ORIENTATION, value) {
            [a, b, c] => Some([a?, b?, c?]),
            _ => None,
        };
        let string = |tag| needed.get(tag).map(|value| text(value.bytes));
        let dated = |date, time| moment(&string(date)?, &string(time)?);
        let date_time = |tag| string(tag).and_then(|text| moment(text.get(..8)?, text.get(8..)?));
        Acquisition {
            component: component(needed, modality, image_type),
            number: needed
                .get(tags::FRAME_ACQUISITION_NUMBER)
                .and_then(values::unsigned)
                .map_or_else(|| whole(tags::ACQUISITION_NUMBER), |number| Some(i64::from(number))),
            stack: string(tags::STACK_ID),
            thickness_mm: number(tags::SLICE_THICKNESS),
            echo: whole(tags::ECHO_NUMBERS),
            echo_ms: number(tags::ECHO_TIME).or_else(|| number(tags::EFFECTIVE_ECHO_TIME)),
            inversion_ms: number(tags::INVERSION_TIME).or_else(|| number(tags::INVERSION_TIMES)),
            flip_degrees: number(tags::FLIP_ANGLE),
            b_value: number(tags::DIFFUSION_B_VALUE),
            gradient: needed.get(tags::DIFFUSION_GRADIENT_ORIENTATION).and_then(three),
            cardiac_percent: number(tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE),
            respiratory_percent: number(tags::NOMINAL_PERCENTAGE_OF_RESPIRATORY_PHASE),
            trigger_ms: number(tags::TRIGGER_TIME)
                .or_else(|| number(tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME)),
            reference_time: number(tags::FRAME_REFERENCE_TIME)
                .or_else(|| number(tags::TEMPORAL_POSITION_TIME_OFFSET)),
            acquired: date_time(tags::FRAME_ACQUISITION_DATE_TIME)
                .or_else(|| date_time(tags::ACQUISITION_DATE_TIME))
                .or_else(|| dated(tags::ACQUISITION_DATE, tags::ACQUISITION_TIME)),
            content: dated(tags::CONTENT_DATE, tags::CONTENT_TIME),
        }
    }
}

fn component(needed: &NeededElements, modality: &str, image_type: &[String]) -> Component {
    let said = |text: &str| match text {
        "M" | "MAGNITUDE" => Some(Component::Magnitude),
        "P" | "PHASE" | "PHASE MAP" => Some(Component::Phase),
        "R" | "REAL" => Some(Component::Real),
        "I" | "IMAGINARY" => Some(Component::Imaginary),
        "MIXED" => Some(Component::Mixed),
        _ => None,
    };
    if modality != "MR" {
        return Component::Magnitude;
    }
    let standard = needed.get(tags::COMPLEX_IMAGE_COMPONENT).and_then(|value| said(&text(value.bytes)));
    let by_ge = || {
        let creator = needed.get(GE_PARAMETERS).map(|value| text(value.bytes));
        let kind = needed.get(GE_RAW_DATA_TYPE).filter(|_| creator.as_deref() == Some("GEMS_PARM_01"));
        match kind.and_then(values::unsigned)? {
            1 => Some(Component::Phase),
            2 => Some(Component::Real),
            3 => Some(Component::Imaginary),
            _ => None,
        }
    };
    let by_type = || {
        let told: Vec<Component> = image_type.iter().skip(2).filter_map(|value| said(value)).collect();
        // Some writers have both, `M_FFE\M` or `PHASE MAP\P`; a part other than the magnitude is the one that counts.
        told.iter().copied().max()
    };
    standard.or_else(by_ge).or_else(by_type).unwrap_or_default()
}

/// A date (DA) and a time (TM) as a number that orders them, to the microsecond; not a distance.
fn moment(date: &str, time: &str) -> Option<i64> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let day: i64 = Some(digits(date)).filter(|digits| digits.len() == 8)?.parse().ok()?;
    // A zone (DT) is the same for all slices of a series.
    let time = time.split(['+', '-']).next()?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let padded = |text: &str| -> Option<i64> {
        let digits: String = digits(text).chars().chain(std::iter::repeat('0')).take(6).collect();
        digits.parse().ok()
    };
    let clock = padded(clock)?;
    let seconds = clock / 10_000 * 3600 + clock / 100 % 100 * 60 + clock % 100;
    Some(day * 100_000_000_000 + seconds * 1_000_000 + padded(fraction)?)
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_ordered_across_midnight_and_by_fractions() {
        let moments = [
            moment("20200101", "235959.9"),
            moment("20200102", "000000"),
            moment("20200102", "000000.05"),
            moment("2020.01.02", "00:00:01"),
            moment("20200102", "0001"),
            moment("20200102", "000100.000001-0100"),
        ];
        assert!(moments.iter().all(Option::is_some), "{moments:?}");
        assert!(moments.is_sorted_by(|a, b| a < b), "{moments:?}");
        assert_eq!(moment("", "120000"), None);
    }
}
