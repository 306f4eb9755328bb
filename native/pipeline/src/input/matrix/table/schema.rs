//! What the rows of Parquet files are, by their columns' names and types.

use arrow_schema::{DataType, Field, Schema};
use parquet::{arrow::parquet_to_arrow_schema, file::metadata::FileMetaData};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of the column that numbers the rows.
pub(super) const INDEX: &str = "index";
/// How columns are named in which pandas writes its own index.
const PANDAS_INDEX: &str = "__index_level_";
/// Where pandas says what it wrote.
const PANDAS: &str = "pandas";

/// What a row of the matrix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Shape {
    /// A number in each column.
    Numbers,
    /// The list in this column.
    List { column: usize, index: Option<usize> },
    /// The vector in this column.
    Vector { column: usize, index: Option<usize> },
}

/// Integers of 16 bits, by the types of all columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Small {
    Signed,
    Unsigned,
    No,
}

/// What the rows of files with this schema are.
pub(super) fn describe(schema: &Schema) -> Result<(Shape, Small), String> {
    let fields = schema.fields();
    if fields.is_empty() {
        return Err("it has no columns".to_owned());
    }
    let shown = |field: &Field| shown(field.name());
    if let Some(field) = fields.iter().find(|field| field.name().starts_with(PANDAS_INDEX)) {
        return Err(format!("its column {} is pandas' index; write it with index=False", shown(field)));
    }
    let row_of = |field: &Field| match field.data_type() {
        DataType::List(items) if small(items.data_type()).is_some() => {
            Some((false, small(items.data_type())))
        }
        DataType::Struct(parts) if is_vector(parts) => Some((true, Some(Small::No))),
        _ => None,
    };
    let rows: Vec<usize> = (0..fields.len()).filter(|&i| row_of(&fields[i]).is_some()).collect();
    if let [column] = rows[..] {
        let others: Vec<usize> = (0..fields.len()).filter(|&i| i != column).collect();
        let is_index = |i: usize| fields[i].name() == INDEX && fields[i].data_type().is_integer();
        let index = match others[..] {
            [] => None,
            [index] if is_index(index) => Some(index),
            _ => {
                let other = others.into_iter().find(|&i| !is_index(i)).unwrap_or(0);
                return Err(format!(
                    "beside its vectors it has the column {}; write the vectors alone, or with an `{INDEX}` of integers",
                    shown(&fields[other])
                ));
            }
        };
        let (vector, width) = row_of(&fields[column]).unwrap_or((false, None));
        let shape = if vector { Shape::Vector { column, index } } else { Shape::List { column, index } };
        return Ok((shape, width.unwrap_or(Small::No)));
    }
    if let Some(field) = fields.iter().find(|field| small(field.data_type()).is_none()) {
        let kind =
            if rows.len() > 1 { "is not the only column of vectors" } else { "is no column of numbers" };
        return Err(format!(
            "its column {} {kind}; write columns of integers or floats, or one of lists or of MLlib's vectors",
            shown(field)
        ));
    }
    let all = |these: fn(&DataType) -> bool| fields.iter().all(|field| these(field.data_type()));
    let width = if all(|kind| matches!(kind, DataType::Int8 | DataType::Int16 | DataType::UInt8)) {
        Small::Signed
    } else if all(|kind| matches!(kind, DataType::UInt8 | DataType::UInt16)) {
        Small::Unsigned
    } else {
        Small::No
    };
    Ok((Shape::Numbers, width))
}

/// Refuses columns that are no numbers of the matrix to those who wrote them: the index that pandas adds, which may have any name,
/// and the durations of Arrow, which Parquet has as integers.
pub(super) fn check_meaning(file: &FileMetaData, shape: Shape) -> Result<(), String> {
    let entries = file.key_value_metadata();
    let pandas = entries.into_iter().flatten().find(|entry| entry.key == PANDAS);
    let pandas = pandas.and_then(|entry| serde_json::from_str::<Value>(entry.value.as_ref()?).ok());
    let indices = pandas.as_ref().and_then(|pandas| pandas.get("index_columns")?.as_array());
    // An index that is not stored is no text.
    let index = indices.into_iter().flatten().find_map(Value::as_str).filter(|_| shape == Shape::Numbers);
    if let Some(index) = index {
        return Err(format!("its column {} is pandas' index; write it with index=False", shown(index)));
    }
    let Ok(schema) = parquet_to_arrow_schema(file.schema_descr(), entries) else { return Ok(()) };
    let is_duration = |field: &Field| match field.data_type() {
        DataType::List(items) => matches!(items.data_type(), DataType::Duration(_)),
        other => matches!(other, DataType::Duration(_)),
    };
    match schema.fields().iter().find(|field| is_duration(field)) {
        Some(field) => Err(format!(
            "its column {} has durations; write them as numbers of one unit",
            shown(field.name())
        )),
        None => Ok(()),
    }
}

/// A column's name in messages.
fn shown(name: &str) -> String {
    let name: String = tomobasis_dicom::printable(name).chars().take(40).collect();
    format!("`{name}`")
}

/// What integers of 16 bits a type has; nothing where it is no type of numbers.
fn small(kind: &DataType) -> Option<Small> {
    match kind {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Some(Small::Signed),
        DataType::UInt16 => Some(Small::Unsigned),
        DataType::Int32
        | DataType::Int64
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64 => Some(Small::No),
        _ => None,
    }
}

fn is_vector(parts: &arrow_schema::Fields) -> bool {
    let list_of =
        |kind: &DataType, of: &DataType| matches!(kind, DataType::List(items) if items.data_type() == of);
    let has = |name: &str, right: &dyn Fn(&DataType) -> bool| {
        parts.iter().any(|part| part.name() == name && right(part.data_type()))
    };
    parts.len() == 4
        && has("type", &|kind| *kind == DataType::Int8)
        && has("size", &|kind| *kind == DataType::Int32)
        && has("indices", &|kind| list_of(kind, &DataType::Int32))
        && has("values", &|kind| list_of(kind, &DataType::Float64))
}

/// Whether two schemas have the same names and types, whatever else they say.
pub(super) fn same_types(one: &Schema, other: &Schema) -> bool {
    let (one, other) = (one.fields(), other.fields());
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a.name() == b.name() && a.data_type().equals_datatype(b.data_type()))
}
