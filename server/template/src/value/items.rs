//! What is in lists and dicts, with the depth to which it nests.

use std::ops::Deref;
use std::sync::Arc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::Value;
use crate::error::{Fault, Stop};
use crate::limits::Meter;

/// The items of a list or tuple.
#[derive(Debug, Clone, Default)]
pub struct Items {
    items: Vec<Value>,
    depth: usize,
}

impl Items {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        Self { items, depth }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn push(&mut self, value: Value) {
        self.depth = self.depth.max(1 + value.depth());
        self.items.push(value);
    }

    /// The items, to be changed: what is put in must not nest deeper than `depth` says.
    pub(crate) fn edit(&mut self, depth: usize) -> &mut Vec<Value> {
        self.depth = self.depth.max(1 + depth);
        &mut self.items
    }
}

impl Deref for Items {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

/// Keys with their values, in order of insertion; a set has `None` for all of them.
#[derive(Debug, Clone, Default)]
pub struct Dict {
    map: IndexMap<Key, (Value, Value)>,
    depth: usize,
}

impl Dict {
    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.map.values().map(|(key, value)| (key, value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth.max(1)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.map.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Value> {
        self.map.get_mut(key).map(|(_, value)| value)
    }

    /// Puts a value in; a key that is there keeps its place.
    pub(crate) fn insert(&mut self, key: Key, name: Value, value: Value) {
        self.depth = self.depth().max(1 + value.depth()).max(1 + name.depth());
        match self.map.get_mut(&key) {
            Some((_, old)) => *old = value,
            None => drop(self.map.insert(key, (name, value))),
        }
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        self.map.shift_remove(key).map(|(_, value)| value)
    }

    /// After something deep in a value was changed.
    pub(crate) fn deepened(&mut self, depth: usize) {
        self.depth = self.depth().max(1 + depth);
    }
}

/// What makes two keys the same: `1`, `1.0` and `True` are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    None,
    Int(BigInt),
    Float(u64),
    Str(Arc<str>),
    Tuple(Vec<Key>),
}

/// The key that a value is; lists and dicts are none.
pub(crate) fn key_of(value: &Value, meter: &Meter<'_>) -> Result<Key, Stop> {
    Ok(match value {
        Value::None => Key::None,
        Value::Bool(b) => Key::Int(BigInt::from(u8::from(*b))),
        Value::Int(n) => Key::Int(n.value.clone()),
        Value::Float(x) if x.value.fract() == 0.0 => {
            BigInt::from_f64(x.value).map_or(Key::Float(x.value.to_bits()), Key::Int)
        }
        Value::Float(x) => Key::Float(x.value.to_bits()),
        Value::Str(text) | Value::Sql(text) => {
            meter.bytes(text.len())?;
            Key::Str(text.clone())
        }
        Value::Tuple(items) => {
            meter.items(items.len())?;
            Key::Tuple(items.iter().map(|item| key_of(item, meter)).collect::<Result<_, _>>()?)
        }
        other => {
            let message =
                format!("a {} cannot be a key or an item of a set; use a text or number", other.type_name());
            return Err(Fault::python("TypeError", message));
        }
    })
}

/// A list within the limits.
pub(crate) fn list(items: Vec<Value>, meter: &Meter<'_>) -> Result<Value, Stop> {
    checked(items, meter).map(|items| Value::List(Arc::new(items)))
}

/// A tuple within the limits.
pub(crate) fn tuple(items: Vec<Value>, meter: &Meter<'_>) -> Result<Value, Stop> {
    checked(items, meter).map(|items| Value::Tuple(Arc::new(items)))
}

fn checked(items: Vec<Value>, meter: &Meter<'_>) -> Result<Items, Stop> {
    meter.items(items.len())?;
    let items = Items::new(items);
    meter.nesting(items.depth())?;
    Ok(items)
}

/// A dict within the limits; of equal keys the last value counts.
pub(crate) fn dict(
    pairs: impl IntoIterator<Item = (Value, Value)>,
    meter: &Meter<'_>,
) -> Result<Value, Stop> {
    let mut dict = Dict::default();
    for (name, value) in pairs {
        meter.room(dict.len() + 1)?;
        meter.step()?;
        dict.insert(key_of(&name, meter)?, name, value);
    }
    meter.nesting(dict.depth())?;
    Ok(Value::Dict(Arc::new(dict)))
}

/// A set within the limits.
pub(crate) fn set(items: Vec<Value>, meter: &Meter<'_>) -> Result<Value, Stop> {
    match dict(items.into_iter().map(|item| (item, Value::None)), meter)? {
        Value::Dict(dict) => Ok(Value::Set(dict)),
        other => Ok(other),
    }
}
