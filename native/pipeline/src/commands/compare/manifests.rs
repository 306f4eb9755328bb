//! The values of two manifests that have one root digest.
//!
//! What follows from the numbers that the digest covers must be the same: where it is not, one manifest is not what its run wrote,
//! whatever its seal says. That is `result`, the parameters of pictures and blocks, and the measures. What was asked for, what lay
//! beside the scan, and what its headers say may differ: it is told.
//!
//! | part | must be the same |
//! |---|---|
//! | `result` | always in what the digest follows from; all of it where the same rank was asked for |
//! | `result.composites`, `measures.composites` | those of both |
//! | `measures` | where black and white are the same, and the slices follow from the same composites; not the reference |
//!
//! Another version may state other bounds and measure otherwise: then `energy`, the exact sum of squares of an exact method, remains.

use serde_json::Value;

use crate::{
    error::{Error, Result},
    result::{MANIFEST, Manifest, first_path},
};

/// Parts of `result` that depend on how many singular values were asked for.
const OF_REQUEST: [&str; 4] = ["result.bounds", "result.noise", "result.numerical_rank", "result.unresolved"];
/// Parts of `measures` that are of the reference.
const OF_REFERENCE: [&str; 2] = ["reference", "peak"];

/// What may differ and does, in words; `all` if one version wrote both.
///
/// # Errors
/// [`Error::Differs`] naming the first value that must be the same and is not.
pub(super) fn compare(a: &Manifest, b: &Manifest, all: bool) -> Result<Option<String>> {
    let (mut one, mut other) = (json(a)?, json(b)?);
    let composites = other_composites(&one, &other);
    let same_number = count(&one) == count(&other);
    for section in ["result", "measures"] {
        keep_those_of_both(&mut one[section], &mut other[section]);
    }
    contradiction(&one, &other, all, same_number).map_or(Ok(()), Err)?;
    let rest = ["derived", "digests", "emitted", "files", "run", "result.composites", "measures"];
    let told = || first_path(&one, &other, &rest, all).map(|difference| difference.of_two());
    let of_measures = || match (one.get("measures"), other.get("measures")) {
        // It comes with the report.
        (Some(a), Some(b)) if !a.is_null() && !b.is_null() => {
            let (a, b) = (serde_json::json!({ "measures": a }), serde_json::json!({ "measures": b }));
            first_path(&a, &b, &[], all).map(|difference| difference.of_two())
        }
        _ => None,
    };
    Ok(composites.or_else(told).or_else(of_measures))
}

/// The first value that must be the same and is not.
fn contradiction(one: &Value, other: &Value, all: bool, same_number: bool) -> Option<Error> {
    let section = |name: &str| {
        let of = |value: &Value| serde_json::json!({ name: value.get(name) });
        (of(one), of(other))
    };
    let same =
        |path: &str| one.pointer(path).map(Value::to_string) == other.pointer(path).map(Value::to_string);
    let (a, b) = section("result");
    let same_request = same("/parameters/rank") && same("/parameters/padding");
    let certified = one.pointer("/result/class").and_then(Value::as_str) == Some("certified");
    let mut found = match all {
        true if same_request => first_path(&a, &b, &[], true),
        true => first_path(&a, &b, &OF_REQUEST, true),
        false if certified && !same("/result/energy") => {
            let of = |value: &Value| serde_json::json!({ "result": { "energy": value.pointer("/result/energy") } });
            first_path(&of(one), &of(other), &[], true)
        }
        false => None,
    };
    if all {
        let (a, b) = section("parameters");
        let skip = ["parameters.rank", "parameters.joint", "parameters.padding", "parameters.input_format"];
        found = found.or_else(|| first_path(&a, &b, &skip, true));
        let is_measured = |value: &Value| value.get("measures").is_some_and(|measures| !measures.is_null());
        let alike = same("/series/display")
            && same("/parameters/padding")
            && (same_number || same("/measures/slices"));
        if alike && is_measured(one) && is_measured(other) {
            let (mut a, mut b) = section("measures");
            let one_reference = same("/measures/reference");
            let one_noise = same("/result/noise");
            for value in [&mut a, &mut b] {
                if !one_reference {
                    without(value, &OF_REFERENCE);
                }
                if !one_noise {
                    without(value, &["global_noise"]);
                }
            }
            found = found.or_else(|| first_path(&a, &b, &[], true));
        }
    }
    found.map(|difference| {
        Error::Differs(format!(
            "{MANIFEST}: {}, though both have the root digest that it follows from: one of them was changed",
            difference.of_two()
        ))
    })
}

/// Which composites only one has, in words.
fn other_composites(one: &Value, other: &Value) -> Option<String> {
    let (a, b) = (ranks(&one["result"]), ranks(&other["result"]));
    let listed = |ranks: &[u64]| match ranks {
        [] => "none".to_owned(),
        ranks => ranks.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    };
    (a != b).then(|| format!("result.composites are of rank {} in A and {} in B", listed(&a), listed(&b)))
}

fn composites(section: &Value) -> &[Value] {
    section.get("composites").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn rank(composite: &Value) -> Option<u64> {
    composite.get("k").and_then(Value::as_u64)
}

fn ranks(section: &Value) -> Vec<u64> {
    composites(section).iter().filter_map(rank).collect()
}

fn count(manifest: &Value) -> usize {
    composites(&manifest["result"]).len()
}

fn keep_those_of_both(one: &mut Value, other: &mut Value) {
    let of_both = [ranks(one), ranks(other)];
    for section in [one, other] {
        if let Some(composites) = section.get_mut("composites").and_then(Value::as_array_mut) {
            composites.retain(|composite| {
                rank(composite).is_some_and(|rank| of_both.iter().all(|ranks| ranks.contains(&rank)))
            });
        }
    }
}

/// Takes members of these names out, wherever they are.
fn without(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|value| without(value, names));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| without(value, names)),
        _ => {}
    }
}

fn json(manifest: &Manifest) -> Result<Value> {
    serde_json::to_value(manifest).map_err(|error| Error::Internal(error.to_string()))
}
