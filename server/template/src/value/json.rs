//! Values from JSON and to JSON.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::items::{Dict, Items, Key};
use super::{Value, float_repr};
use num_traits::ToPrimitive;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::int(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::int(n))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::float(x))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element()? {
            out.push(item);
        }
        Ok(Value::List(Arc::new(Items::new(out))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut out = Dict::default();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            let key: Arc<str> = key.into();
            out.insert(Key::Str(key.clone()), Value::Str(key), value);
        }
        Ok(Value::Dict(Arc::new(out)))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => match (n.value.to_i64(), n.value.to_u64()) {
                (Some(n), _) => serializer.serialize_i64(n),
                (_, Some(n)) => serializer.serialize_u64(n),
                // Readers of JSON lose digits of numbers this long.
                _ => serializer.serialize_str(&n.value.to_string()),
            },
            Self::Float(x) => serializer.serialize_f64(x.value),
            Self::Str(text) | Self::Sql(text) => serializer.serialize_str(text),
            Self::List(items) | Self::Tuple(items) => serializer.collect_seq(items.iter()),
            Self::Set(dict) => {
                let mut seq = serializer.serialize_seq(Some(dict.len()))?;
                for (key, _) in dict.iter() {
                    seq.serialize_element(key)?;
                }
                seq.end()
            }
            Self::Dict(dict) => {
                let mut map = serializer.serialize_map(Some(dict.len()))?;
                for (key, value) in dict.iter() {
                    map.serialize_entry(&key_text(key), value)?;
                }
                map.end()
            }
        }
    }
}

/// JSON's keys are texts.
fn key_text(key: &Value) -> String {
    match key {
        Value::Str(text) | Value::Sql(text) => text.to_string(),
        Value::Int(n) => n.value.to_string(),
        Value::Float(x) => float_repr(x.value),
        Value::Bool(b) => b.to_string(),
        _ => "null".to_owned(),
    }
}
