//! Where two JSON documents differ.

use serde_json::Value;

/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// The first path at which `made` has another value than `stored`, with both values; `skip` are paths that are passed over. What only
/// one has is a difference if `all` is to be there.
pub(crate) fn first_path(stored: &Value, made: &Value, skip: &[&str], all: bool) -> Option<String> {
    below("", stored, made, skip, all)
}

fn below(path: &str, stored: &Value, made: &Value, skip: &[&str], all: bool) -> Option<String> {
    if skip.contains(&path) {
        return None;
    }
    match (stored, made) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => below(&path, a, b, skip, all),
                    _ if !all || skip.contains(&path.as_str()) => None,
                    (Some(a), None) => Some(format!("{path}: {} should not be there", shown(&a.to_string()))),
                    (None, _) => Some(format!("{path}: it is missing")),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let places = a.iter().zip(b).enumerate();
            places.into_iter().find_map(|(i, (a, b))| below(&format!("{path}[{i}]"), a, b, skip, all))
        }
        _ => {
            // By what is written: 0 and -0 are equal, and not the same.
            let (stored, made) = (stored.to_string(), made.to_string());
            (stored != made)
                .then(|| format!("{path} is {}, the input gives {}", shown(&stored), shown(&made)))
        }
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path_with_both_values() {
        let stored = json!({"a": 1, "b": [{"c": 2.5}, {"c": "x"}], "run": {"seal": 1}});
        assert_eq!(first_path(&stored, &stored, &[], true), None);
        for (change, said) in [
            (json!({"a": 2, "b": [{"c": 2.5}, {"c": "x"}], "run": {"seal": 1}}), "a is 1, the input gives 2"),
            (
                json!({"a": 1, "b": [{"c": 2.5}, {"c": 0}], "run": {"seal": 1}}),
                "b[1].c is \"x\", the input gives 0",
            ),
            (
                json!({"a": 1, "b": [{"c": 2.5}], "run": {"seal": 1}}),
                "b is [{\"c\":2.5},{\"c\":\"x\"}], the input gives [{\"c\":2.5}]",
            ),
            (json!({"b": [{"c": 2.5}, {"c": "x"}], "run": {"seal": 1}}), "a: 1 should not be there"),
            (
                json!({"a": 1, "b": [{"c": 2.5, "d": 0}, {"c": "x"}], "run": {"seal": 1}}),
                "b[0].d: it is missing",
            ),
            (
                json!({"a": 1.0, "b": [{"c": 2.5}, {"c": "x"}], "run": {"seal": 1}}),
                "a is 1, the input gives 1.0",
            ),
        ] {
            assert_eq!(first_path(&stored, &change, &[], true).unwrap(), said);
        }
        assert_eq!(
            first_path(&json!({"a": 0.0}), &json!({"a": -0.0}), &[], true).unwrap(),
            "a is 0.0, the input gives -0.0"
        );
    }

    #[test]
    fn what_is_skipped_or_of_another_version_is_no_difference() {
        let stored = json!({"a": 1, "run": {"seal": 1}});
        assert_eq!(first_path(&stored, &json!({"a": 1, "run": {"seal": 2}}), &["run.seal"], true), None);
        assert_eq!(first_path(&stored, &json!({"a": 1, "run": {}}), &["run.seal"], true), None);
        assert_eq!(first_path(&stored, &json!({"a": 1, "new": 0, "run": {}}), &[], false), None);
    }
}
