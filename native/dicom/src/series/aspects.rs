//! In what the slices of one series may differ, and what a difference means: the table of `docs/dicom.md`.
//!
//! The rules, from the strictest on:
//!
//! | rule | slices of different values are volumes of their own |
//! |---|---|
//! | `Identity` | always, but where each slice has a value of its own |
//! | `Always` | always: their pixel values cannot be compared |
//! | `Interleaved` | where they lie among each other; not where one follows the other along the table |
//! | `Repeated` | where they hold the same places, or lie among each other and each is a volume without the others |
//! | `InOrder` | the same, and values that hold no place twice stay together, in ascending order |
//! | `Rank` | where every place is held equally often: the first of each place, the second, ... |
//!
//! The last two are for what varies within good volumes too: an Acquisition Number for each bed position or
//! breath-hold, a time for each slice.

use std::cmp::Ordering;

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::StandardSopClassDictionary;

use crate::header::{Component, Rescale, SliceHeader};
use crate::known;
use crate::phrases::decimals;

/// When different values make different volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Identity,
    Always,
    Interleaved,
    Repeated,
    InOrder,
    Rank,
}

/// One attribute that tells volumes apart.
pub(super) struct Aspect {
    /// In messages: `the slices have different kernels (Convolution Kernel)`.
    pub name: &'static str,
    pub rule: Rule,
    pub value: fn(&SliceHeader) -> Option<Value>,
    /// What a part with this value is called; `None` where the value is not to be shown.
    pub label: fn(&Value) -> Option<String>,
    /// What a part is called otherwise: `time 2 of 5`.
    pub noun: &'static str,
}

/// A value of an aspect, ordered.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Whole(i128),
    Number(f64),
    Text(String),
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        let kind = |value: &Value| match value {
            Value::Whole(_) => 0,
            Value::Number(_) => 1,
            Value::Text(_) => 2,
        };
        match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => kind(self).cmp(&kind(other)),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

fn number(value: Option<f64>) -> Option<Value> {
    // 0 and -0 are one value.
    value.map(|number| Value::Number(number + 0.0))
}

fn whole(value: Option<i64>) -> Option<Value> {
    value.map(|number| Value::Whole(number.into()))
}

/// Empty is absent.
fn some_text(text: &str) -> Option<Value> {
    Some(text).filter(|text| !text.is_empty()).and_then(some)
}

fn some(text: impl Into<String>) -> Option<Value> {
    Some(Value::Text(text.into()))
}

/// A number with its unit around it.
macro_rules! say {
    ($text:literal) => {
        |value| match value {
            Value::Whole(number) if known::is_shown(*number as f64) => Some(format!($text, number)),
            Value::Number(number) if known::is_shown(*number) => Some(format!($text, decimals(*number))),
            _ => None,
        }
    };
}

const UNSAID: fn(&Value) -> Option<String> = |_| None;

/// In the order in which they are tried.
#[rustfmt::skip]
pub(super) const ASPECTS: [Aspect; 30] = [
    Aspect { name: "studies (Study Instance UID)", noun: "study", rule: Rule::Identity, label: UNSAID,
        value: |header| some_text(&header.study_instance_uid) },
    Aspect { name: "patients (Patient ID)", noun: "patient", rule: Rule::Identity, label: UNSAID,
        value: |header| header.patient.map(|hash| Value::Whole(hash.into())) },
    Aspect { name: "SOP classes", noun: "class", rule: Rule::Always, label: class_name,
        value: |header| some(&header.sop_class_uid) },
    Aspect { name: "modalities", noun: "modality", rule: Rule::Always, label: UNSAID,
        value: |header| some_text(&header.modality) },
    Aspect { name: "units (Rescale Type)", noun: "unit", rule: Rule::Always, label: unit_name,
        value: comparable_unit },
    Aspect { name: "rescales (Rescale Slope and Intercept in some headers only)", noun: "rescale", rule: Rule::Always,
        label: rescale_name, value: |header| whole(Some((header.rescale != Rescale::default()).into())) },
    Aspect { name: "parts of a complex image (Complex Image Component, Image Type)", noun: "component",
        rule: Rule::Always, label: component_name,
        value: component },
    Aspect { name: "kernels (Convolution Kernel)", noun: "kernel", rule: Rule::Interleaved, label: UNSAID,
        value: |header| header.kernel.clone().map(Value::Text) },
    Aspect { name: "tube voltages (KVP)", noun: "tube voltage", rule: Rule::Interleaved, label: say!("{} kV"),
        value: |header| number(header.kvp) },
    Aspect { name: "echoes (Echo Numbers)", noun: "echo", rule: Rule::Interleaved, label: say!("echo {}"),
        value: |header| whole(header.acquisition.echo) },
    Aspect { name: "echo times (Echo Time)", noun: "echo time", rule: Rule::Interleaved, label: say!("TE {} ms"),
        value: |header| number(header.acquisition.echo_ms) },
    Aspect { name: "inversion times (Inversion Time)", noun: "inversion time", rule: Rule::Interleaved,
        label: say!("TI {} ms"), value: |header| number(header.acquisition.inversion_ms) },
    Aspect { name: "flip angles (Flip Angle)", noun: "flip angle", rule: Rule::Interleaved,
        label: say!("flip angle {} degrees"), value: |header| number(header.acquisition.flip_degrees) },
    Aspect { name: "b-values (Diffusion b-value)", noun: "b-value", rule: Rule::Interleaved,
        label: say!("b {} s/mm2"), value: |header| number(header.acquisition.b_value) },
    Aspect { name: "gradient directions (Diffusion Gradient Orientation)", noun: "gradient direction",
        rule: Rule::Interleaved, label: UNSAID,
        value: |header| header.acquisition.gradient.map(|axis| Value::Text(format!("{axis:?}"))) },
    Aspect { name: "times (Temporal Position)", noun: "time", rule: Rule::Interleaved,
        label: say!("temporal position {}"), value: |header| whole(header.temporal_position.map(i64::from)) },
    Aspect { name: "cardiac phases (Nominal Percentage of Cardiac Phase)", noun: "cardiac phase",
        rule: Rule::Interleaved, label: say!("cardiac phase {} %"),
        value: |header| number(header.acquisition.cardiac_percent) },
    Aspect { name: "respiratory phases (Nominal Percentage of Respiratory Phase)", noun: "respiratory phase",
        rule: Rule::Interleaved, label: say!("respiratory phase {} %"),
        value: |header| number(header.acquisition.respiratory_percent) },
    Aspect { name: "kinds of image (Image Type)", noun: "kind of image", rule: Rule::Repeated, label: UNSAID,
        value: |header| some_text(&header.image_type.join("\\")) },
    Aspect { name: "slice thicknesses (Slice Thickness)", noun: "thickness", rule: Rule::Repeated,
        label: say!("{} mm thick"), value: |header| number(header.acquisition.thickness_mm) },
    Aspect { name: "stacks (Stack ID)", noun: "stack", rule: Rule::Repeated, label: UNSAID,
        value: |header| header.acquisition.stack.clone().map(Value::Text) },
    Aspect { name: "acquisitions (Acquisition Number)", noun: "acquisition", rule: Rule::InOrder, label: UNSAID,
        value: |header| whole(header.acquisition.number) },
    Aspect { name: "trigger times (Trigger Time)", noun: "trigger time", rule: Rule::InOrder, label: UNSAID,
        value: trigger },
    Aspect { name: "times (Frame Reference Time)", noun: "time", rule: Rule::InOrder, label: UNSAID,
        value: reference },
    Aspect { name: "acquisition times (Acquisition DateTime)", noun: "acquisition time", rule: Rule::InOrder,
        label: UNSAID, value: acquired },
    Aspect { name: "trigger times (Trigger Time)", noun: "trigger time", rule: Rule::Rank, label: UNSAID,
        value: trigger },
    Aspect { name: "times (Frame Reference Time)", noun: "time", rule: Rule::Rank, label: UNSAID, value: reference },
    Aspect { name: "acquisition times (Acquisition DateTime)", noun: "acquisition time", rule: Rule::Rank,
        label: UNSAID, value: acquired },
    Aspect { name: "times (Content Time)", noun: "time", rule: Rule::Rank, label: UNSAID,
        value: |header| whole(header.acquisition.content) },
    Aspect { name: "instance numbers (Instance Number)", noun: "turn", rule: Rule::Rank, label: UNSAID,
        value: |header| header.instance_number.map(|number| Value::Whole(i128::from(number) << 32 | i128::from(frame_number(header)))) },
];

fn trigger(header: &SliceHeader) -> Option<Value> {
    number(header.acquisition.trigger_ms)
}

fn reference(header: &SliceHeader) -> Option<Value> {
    number(header.acquisition.reference_time)
}

fn acquired(header: &SliceHeader) -> Option<Value> {
    whole(header.acquisition.acquired)
}

/// What a slice says by which it could be told from another one of its place, numbers and Content Time aside. A rescale is not among
/// it, since entries are compared after it.
pub(super) fn told(header: &SliceHeader) -> Vec<Option<Value>> {
    let tells = |aspect: &&Aspect| aspect.rule != Rule::Rank && aspect.noun != "rescale";
    let number = Value::Whole(frame_number(header).into());
    ASPECTS.iter().filter(tells).map(|aspect| (aspect.value)(header)).chain([Some(number)]).collect()
}

/// Its number among the frames of all parts of a concatenation.
fn frame_number(header: &SliceHeader) -> u32 {
    header.concatenation.as_ref().map_or(0, |part| part.frames_before).saturating_add(header.frame)
}

/// Unit of the rescaled values.
pub(super) fn rescale_unit(header: &SliceHeader) -> String {
    match &header.rescale_type {
        Some(unit) => unit.clone(),
        None if header.modality == "CT" => "HU".to_owned(),
        None => "unspecified".to_owned(),
    }
}

/// `US` is the standard's word for "unspecified" (PS3.3 C.11.1.1.2). Without Modality, what its absence means is not known.
fn comparable_unit(header: &SliceHeader) -> Option<Value> {
    match rescale_unit(header).as_str() {
        _ if header.rescale_type.is_none() && header.modality.is_empty() => None,
        "US" => some("unspecified"),
        unit => some(unit),
    }
}

/// That an image is no other part than the magnitude follows from its Image Type, of MR only.
fn component(header: &SliceHeader) -> Option<Value> {
    let component = header.acquisition.component;
    let said = !header.modality.is_empty() && !header.image_type.is_empty();
    (said || component != Component::Magnitude).then_some(Value::Whole(component as i128))
}

fn class_name(value: &Value) -> Option<String> {
    match value {
        Value::Text(uid) => StandardSopClassDictionary.by_uid(uid).map(|entry| entry.name.to_owned()),
        _ => None,
    }
}

/// Only the units that the standard defines are quoted.
fn unit_name(value: &Value) -> Option<String> {
    const KNOWN: [&str; 14] = [
        "HU",
        "HU_MOD",
        "OD",
        "unspecified",
        "MGML",
        "PCT",
        "Z_EFF",
        "ED",
        "EDW",
        "CNTS",
        "BQML",
        "GML",
        "CPS",
        "PROPCPS",
    ];
    match value {
        Value::Text(unit) if KNOWN.contains(&unit.as_str()) => Some(format!("values in {unit}")),
        _ => None,
    }
}

fn rescale_name(value: &Value) -> Option<String> {
    Some(
        if *value == Value::Whole(0) { "stored values without a rescale" } else { "rescaled values" }
            .to_owned(),
    )
}

fn component_name(value: &Value) -> Option<String> {
    let all =
        [Component::Magnitude, Component::Phase, Component::Real, Component::Imaginary, Component::Mixed];
    let known = all.into_iter().find(|&one| *value == Value::Whole(one as i128))?;
    Some(format!("{known:?}").to_lowercase())
}
