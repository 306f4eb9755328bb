//! Where two JSON documents differ.

use serde_json::Value;
use tomobasis_dicom::printable;

/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// A path at which two documents have not the same value.
#[derive(Debug)]
pub(crate) struct Difference {
    path: String,
    /// `None` where there is none.
    values: [Option<String>; 2],
}

impl Difference {
    fn new(path: String, values: [Option<&Value>; 2]) -> Self {
        Self {
            path: printable(&path).to_string(),
            values: values.map(|value| value.map(|value| shown(&value.to_string()))),
        }
    }

    /// Of a manifest and one made from the input.
    pub(crate) fn with_input(&self) -> String {
        let path = &self.path;
        match &self.values {
            [Some(stored), Some(made)] => format!("{path} is {stored}, the input gives {made}"),
            [Some(stored), None] => format!("{path}: {stored} should not be there"),
            [None, _] => format!("{path}: it is missing"),
        }
    }

    /// Of the manifests of two results.
    pub(crate) fn of_two(&self) -> String {
        let [a, b] = self.values.each_ref().map(|value| value.as_deref().unwrap_or("absent"));
        format!("{} is {a} in A and {b} in B", self.path)
    }
}

/// The first path at which `made` has another value than `stored`; `skip` are paths that are not compared. What only one has is a
/// difference if `all` is to be there.
pub(crate) fn first_path(stored: &Value, made: &Value, skip: &[&str], all: bool) -> Option<Difference> {
    below("", stored, made, skip, all)
}

fn below(path: &str, stored: &Value, made: &Value, skip: &[&str], all: bool) -> Option<Difference> {
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
                    one => Some(Difference::new(path, one.into())),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let places = a.iter().zip(b).enumerate();
            places.into_iter().find_map(|(i, (a, b))| below(&format!("{path}[{i}]"), a, b, skip, all))
        }
        _ => {
            // By what is written: 0 and -0 are equal, and not the same.
            let [written, made_again] = [stored, made].map(Value::to_string);
            (written != made_again).then(|| Difference::new(path.to_owned(), [Some(stored), Some(made)]))
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
        assert!(first_path(&stored, &stored, &[], true).is_none());
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
            assert_eq!(first_path(&stored, &change, &[], true).unwrap().with_input(), said);
        }
        let zeros = first_path(&json!({"a": 0.0}), &json!({"a": -0.0}), &[], true).unwrap();
        assert_eq!(zeros.with_input(), "a is 0.0, the input gives -0.0");
        assert_eq!(zeros.of_two(), "a is 0.0 in A and -0.0 in B");
        let more = first_path(&json!({}), &json!({"a\n": 1}), &[], true).unwrap();
        assert_eq!(more.of_two(), "a\\u{a} is absent in A and 1 in B");
    }

    #[test]
    fn what_is_skipped_or_of_another_version_is_no_difference() {
        let stored = json!({"a": 1, "run": {"seal": 1}});
        for (made, skip, all) in [
            (json!({"a": 1, "run": {"seal": 2}}), &["run.seal"][..], true),
            (json!({"a": 1, "run": {}}), &["run.seal"], true),
            (json!({"a": 1, "new": 0, "run": {}}), &[], false),
        ] {
            assert!(first_path(&stored, &made, skip, all).is_none(), "{made}");
        }
    }
}
