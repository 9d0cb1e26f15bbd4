//! Samples in columns: what the engine is told to read of a Parquet file. It reads values as texts, in the nesting that the
//! paths of the columns say, and they enter as rows of JSON.

use headwater_catalog::Type;
use headwater_warehouse::{Allow, Format, InputFormat};

use super::{LOADING, Trouble, World, quoted};
use crate::ingest::{Batch, Column, Schema};

/// A value of the file, as far as columns read it.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// All of it, in this type.
    Whole(String),
    /// Some of its fields.
    Fields(Vec<(String, Shape)>),
    /// Some fields of each of its items.
    Items(Vec<(String, Shape)>),
}

impl World<'_> {
    /// The rows of a columnar file.
    pub(super) fn parquet(&mut self, schema: &Schema, bytes: &[u8]) -> Result<Batch, Trouble> {
        let shapes = shapes(schema.columns()).map_err(Trouble::Tables)?;
        if shapes.is_empty() {
            return Ok(Batch::default());
        }
        let layout = &self.compiler.options().layout;
        let bare = format!("{}columns {}", layout.prefix, self.made.len());
        let name = format!("{}.{}", quoted(&layout.database), quoted(&bare));
        let columns: Vec<String> =
            shapes.iter().map(|(key, shape)| format!("{} {}", quoted(key), shape.ty())).collect();
        self.run(&format!("CREATE TABLE {name} ({}) ENGINE = Memory", columns.join(", ")))?;
        self.made.push(name.clone());
        let keys: Vec<String> = shapes.into_iter().map(|(key, _)| key).collect();
        self.insert_as(&bare, &keys, InputFormat::Parquet, bytes.to_vec())?;
        let answer =
            self.send(&format!("SELECT * FROM {name}"), &[], Format::JsonEachRow, LOADING, Allow::Reads)?;
        Ok(schema.ndjson(&answer.body))
    }
}

/// What is read of each column of the file. An error says which columns cannot both be read.
fn shapes(columns: &[Column]) -> Result<Vec<(String, Shape)>, String> {
    let mut out = Vec::new();
    for column in columns {
        let Some(path) = &column.path else { continue };
        let (head, tail) = path.halves();
        let ty = column.ty.as_ref();
        let Some((last, before)) = head.split_last() else {
            return Err(format!(
                "column `{}` has the whole row, which Parquet has no text of; write the sample as NDJSON",
                column.name
            ));
        };
        let clash = || {
            format!(
                "column `{}` and another one read a value and a part of it, which cannot be had from Parquet at once; write the sample as NDJSON",
                column.name
            )
        };
        let mut level = &mut out;
        for key in before {
            level = match entry(level, key, || Shape::Fields(Vec::new())) {
                Shape::Fields(fields) => fields,
                _ => return Err(clash()),
            };
        }
        let shape = if tail.is_empty() {
            Shape::Whole(as_texts(ty))
        } else {
            let element = match ty.map(Type::without_low_cardinality) {
                Some(Type::Array(element)) => Some(&**element),
                _ => None,
            };
            // From the inside out.
            let leaf = Shape::Whole(as_texts(element));
            let wrap = |inner, key: &&str| Shape::Fields(vec![((*key).to_owned(), inner)]);
            match tail.iter().rev().fold(leaf, wrap) {
                Shape::Fields(fields) => Shape::Items(fields),
                other => other,
            }
        };
        match level.iter_mut().find(|(key, _)| key == last) {
            None => level.push(((*last).to_owned(), shape)),
            Some((_, known)) => known.merge(shape).map_err(|()| clash())?,
        }
    }
    Ok(out)
}

fn entry<'s>(level: &'s mut Vec<(String, Shape)>, key: &str, new: impl FnOnce() -> Shape) -> &'s mut Shape {
    let at = level.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
        level.push((key.to_owned(), new()));
        level.len() - 1
    });
    &mut level[at].1
}

impl Shape {
    fn ty(&self) -> String {
        let tuple = |fields: &[(String, Self)]| {
            let fields: Vec<String> =
                fields.iter().map(|(key, shape)| format!("{} {}", quoted(key), shape.ty())).collect();
            format!("Tuple({})", fields.join(", "))
        };
        match self {
            Self::Whole(ty) => ty.clone(),
            Self::Fields(fields) => tuple(fields),
            Self::Items(fields) => format!("Array({})", tuple(fields)),
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), ()> {
        match (self, other) {
            // Two columns of one value: the texts of the first do for both.
            (Self::Whole(_), Self::Whole(_)) => Ok(()),
            (Self::Fields(known), Self::Fields(more)) | (Self::Items(known), Self::Items(more)) => {
                for (key, shape) in more {
                    match known.iter_mut().find(|(k, _)| *k == key) {
                        Some((_, known)) => known.merge(shape)?,
                        None => known.push((key, shape)),
                    }
                }
                Ok(())
            }
            _ => Err(()),
        }
    }
}

/// The shape of a type with texts in it: lists and maps stay what they are.
fn as_texts(ty: Option<&Type>) -> String {
    match ty.map(Type::without_low_cardinality) {
        Some(Type::Array(element)) => format!("Array({})", as_texts(Some(element))),
        Some(Type::Map(pair)) => format!("Map(String, {})", as_texts(Some(&pair.1))),
        Some(Type::Nullable(inner)) => as_texts(Some(inner)),
        _ => "Nullable(String)".to_owned(),
    }
}
