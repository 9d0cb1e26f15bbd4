//! The columns of a Parquet file, from its footer. Its rows are not read.

use std::io::Cursor;

use headwater_analysis::samples::SampleField;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{
    ConvertedType, FieldRepetitionType, FileMetaData, LogicalType, SchemaElement, TimeUnit, Type,
};

/// What every file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// Behind the metadata: its length in four bytes, and the magic.
const TAIL: usize = 8;

/// Metadata that is longer is not read. It grows with the row groups; a sample has few.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Fields and nesting that are looked at.
const MAX_FIELDS: usize = 1_000;
const MAX_DEPTH: usize = 8;

/// The columns, from the last bytes of a file; `None` when they are no footer, or only a part of one.
pub(crate) fn fields(end: &[u8]) -> Option<Vec<SampleField>> {
    let body = end.strip_suffix(MAGIC)?;
    let (body, length) = body.split_at_checked(body.len().checked_sub(4)?)?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let metadata = body.get(body.len().checked_sub(length)?..)?;
    // What the reader may allocate is bounded by a multiple of what there is to read.
    let mut protocol = TCompactInputProtocol::new(Cursor::new(metadata), length.saturating_mul(16) + TAIL);
    let schema = FileMetaData::read_from_in_protocol(&mut protocol).ok()?.schema;
    let mut walk = Walk { schema: &schema, at: 1, out: Vec::new() };
    let count = children(schema.first()?);
    for _ in 0..count {
        walk.field("", "$", 0)?;
    }
    Some(walk.out)
}

fn children(element: &SchemaElement) -> usize {
    element.num_children.and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(MAX_FIELDS)
}

struct Walk<'s> {
    schema: &'s [SchemaElement],
    at: usize,
    out: Vec<SampleField>,
}

impl<'s> Walk<'s> {
    fn next(&mut self) -> Option<&'s SchemaElement> {
        let element = self.schema.get(self.at)?;
        self.at += 1;
        Some(element)
    }

    /// One field with all that is in it.
    fn field(&mut self, prefix: &str, path: &str, depth: usize) -> Option<()> {
        let element = self.next()?;
        if depth > MAX_DEPTH || self.out.len() > MAX_FIELDS {
            return None;
        }
        let name = headwater_analysis::samples::column_name(&if prefix.is_empty() {
            element.name.clone()
        } else {
            format!("{prefix}_{}", element.name)
        });
        let path = headwater_analysis::samples::path_of(path, &element.name);
        let count = children(element);
        let is_repeated = element.repetition_type == Some(FieldRepetitionType::REPEATED);
        if count == 0 {
            let ty = scalar(element);
            let ty = match element.repetition_type {
                Some(FieldRepetitionType::REPEATED) => {
                    return self.push(name, format!("{path}[:]"), format!("Array({ty})"));
                }
                Some(FieldRepetitionType::OPTIONAL) => format!("Nullable({ty})"),
                _ => ty,
            };
            return self.push(name, path, ty);
        }
        let is = |converted, logical: fn(&LogicalType) -> bool| {
            element.converted_type == Some(converted) || element.logical_type.as_ref().is_some_and(logical)
        };
        if is(ConvertedType::LIST, |l| matches!(l, LogicalType::LIST(_))) || is_repeated {
            let ty = self.innermost(count, depth)?;
            return self.push(name, format!("{path}[:]"), format!("Array({ty})"));
        }
        if is(ConvertedType::MAP, |l| matches!(l, LogicalType::MAP(_))) {
            let ty = self.map(count, depth)?;
            return self.push(name, path, ty);
        }
        for _ in 0..count {
            self.field(&name, &path, depth + 1)?;
        }
        Some(())
    }

    fn push(&mut self, name: String, path: String, ty: String) -> Option<()> {
        self.out.push(SampleField { name, path: Some(path), ty });
        Some(())
    }

    /// The type of a list's items: below one or two groups that are there for the format's sake. Items with fields are text.
    fn innermost(&mut self, count: usize, depth: usize) -> Option<String> {
        let mut found = None;
        for _ in 0..count {
            let element = self.next()?;
            let inner = children(element);
            let ty = if inner == 0 {
                scalar(element)
            } else if depth > MAX_DEPTH {
                return None;
            } else {
                self.innermost(inner, depth + 1)?
            };
            found = Some(if count == 1 { ty } else { "String".to_owned() });
        }
        found
    }

    /// `Map(key, value)`, of a group of pairs.
    fn map(&mut self, count: usize, depth: usize) -> Option<String> {
        let mut types = Vec::new();
        for _ in 0..count {
            let pair = self.next()?;
            for _ in 0..children(pair) {
                let element = self.next()?;
                let inner = children(element);
                types.push(if inner == 0 {
                    scalar(element)
                } else {
                    self.innermost(inner, depth + 1)?;
                    "String".to_owned()
                });
            }
        }
        match types.as_slice() {
            [key, value] => Some(format!("Map({key}, {value})")),
            _ => Some("String".to_owned()),
        }
    }
}

/// The type of a column that holds a primitive.
fn scalar(element: &SchemaElement) -> String {
    let decimal = || {
        let (precision, scale) = match &element.logical_type {
            Some(LogicalType::DECIMAL(d)) => (d.precision, d.scale),
            _ => (element.precision.unwrap_or(18), element.scale.unwrap_or(0)),
        };
        let is_sound = (1..=76).contains(&precision) && (0..=precision).contains(&scale);
        if is_sound { format!("Decimal({precision}, {scale})") } else { "String".to_owned() }
    };
    let is_decimal = matches!(element.logical_type, Some(LogicalType::DECIMAL(_)))
        || element.converted_type == Some(ConvertedType::DECIMAL);
    if is_decimal {
        return decimal();
    }
    match &element.logical_type {
        Some(LogicalType::DATE(_)) => return "Date32".to_owned(),
        Some(LogicalType::TIMESTAMP(t)) => {
            let digits = match t.unit {
                TimeUnit::MILLIS(_) => 3,
                TimeUnit::MICROS(_) => 6,
                TimeUnit::NANOS(_) => 9,
            };
            return format!("DateTime64({digits})");
        }
        Some(LogicalType::INTEGER(i)) if matches!(i.bit_width, 8 | 16 | 32 | 64) => {
            return format!("{}{}", if i.is_signed { "Int" } else { "UInt" }, i.bit_width);
        }
        Some(LogicalType::UUID(_)) => return "UUID".to_owned(),
        Some(LogicalType::FLOAT16(_)) => return "Float32".to_owned(),
        _ => {}
    }
    match element.converted_type {
        Some(ConvertedType::DATE) => return "Date32".to_owned(),
        Some(ConvertedType::TIMESTAMP_MILLIS) => return "DateTime64(3)".to_owned(),
        Some(ConvertedType::TIMESTAMP_MICROS) => return "DateTime64(6)".to_owned(),
        Some(ConvertedType::UINT_8) => return "UInt8".to_owned(),
        Some(ConvertedType::UINT_16) => return "UInt16".to_owned(),
        Some(ConvertedType::UINT_32) => return "UInt32".to_owned(),
        Some(ConvertedType::UINT_64) => return "UInt64".to_owned(),
        Some(ConvertedType::INT_8) => return "Int8".to_owned(),
        Some(ConvertedType::INT_16) => return "Int16".to_owned(),
        _ => {}
    }
    match element.type_ {
        Some(Type::BOOLEAN) => "Bool",
        Some(Type::INT32) => "Int32",
        Some(Type::INT64) => "Int64",
        Some(Type::INT96) => "DateTime64(9)",
        Some(Type::FLOAT) => "Float32",
        Some(Type::DOUBLE) => "Float64",
        _ => "String",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars_parquet_format::thrift::protocol::TCompactOutputProtocol;
    use polars_parquet_format::{
        DateType, IntType, ListType, MapType, MicroSeconds, StringType, TimestampType,
    };

    fn element(name: &str, ty: Option<Type>, children: i32) -> SchemaElement {
        SchemaElement {
            type_: ty,
            type_length: None,
            repetition_type: Some(FieldRepetitionType::REQUIRED),
            name: name.to_owned(),
            num_children: (children > 0).then_some(children),
            converted_type: None,
            scale: None,
            precision: None,
            field_id: None,
            logical_type: None,
        }
    }

    fn footer(schema: Vec<SchemaElement>) -> Vec<u8> {
        let metadata = FileMetaData {
            version: 1,
            schema,
            num_rows: 0,
            row_groups: Vec::new(),
            key_value_metadata: None,
            created_by: None,
            column_orders: None,
            encryption_algorithm: None,
            footer_signing_key_metadata: None,
        };
        let mut bytes = Vec::new();
        metadata
            .write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes))
            .expect("it can be written");
        let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
        [b"rows", bytes.as_slice(), &length, MAGIC].concat()
    }

    fn shown(schema: Vec<SchemaElement>) -> Vec<String> {
        let fields = fields(&footer(schema)).expect("a footer");
        fields.into_iter().map(|f| format!("{} {} {}", f.name, f.ty, f.path.unwrap_or_default())).collect()
    }

    #[test]
    fn a_footer_suggests_columns() {
        let mut text = element("who", Some(Type::BYTE_ARRAY), 0);
        text.logical_type = Some(LogicalType::STRING(StringType {}));
        text.repetition_type = Some(FieldRepetitionType::OPTIONAL);
        let mut time = element("at", Some(Type::INT64), 0);
        let unit = TimeUnit::MICROS(MicroSeconds {});
        time.logical_type = Some(LogicalType::TIMESTAMP(TimestampType { is_adjusted_to_u_t_c: true, unit }));
        let mut day = element("day", Some(Type::INT32), 0);
        day.logical_type = Some(LogicalType::DATE(DateType {}));
        let mut small = element("small", Some(Type::INT32), 0);
        small.logical_type = Some(LogicalType::INTEGER(IntType { bit_width: 8, is_signed: false }));
        let mut price = element("price", Some(Type::FIXED_LEN_BYTE_ARRAY), 0);
        (price.converted_type, price.precision, price.scale) =
            (Some(ConvertedType::DECIMAL), Some(12), Some(2));
        let mut tags = element("tags", None, 1);
        tags.logical_type = Some(LogicalType::LIST(ListType {}));
        let mut repeated = element("list", None, 1);
        repeated.repetition_type = Some(FieldRepetitionType::REPEATED);
        let mut map = element("extra", None, 1);
        map.logical_type = Some(LogicalType::MAP(MapType {}));
        let schema = vec![
            element("schema", None, 9),
            text,
            time,
            day,
            small,
            price,
            tags,
            repeated.clone(),
            element("element", Some(Type::BYTE_ARRAY), 0),
            element("geo", None, 2),
            element("lat", Some(Type::DOUBLE), 0),
            element("is-known", Some(Type::BOOLEAN), 0),
            map,
            SchemaElement { num_children: Some(2), name: "key_value".to_owned(), ..repeated },
            element("key", Some(Type::BYTE_ARRAY), 0),
            element("value", Some(Type::INT64), 0),
            element("n", Some(Type::INT64), 0),
        ];
        assert_eq!(
            shown(schema),
            [
                "who Nullable(String) $.who",
                "at DateTime64(6) $.at",
                "day Date32 $.day",
                "small UInt8 $.small",
                "price Decimal(12, 2) $.price",
                "tags Array(String) $.tags[:]",
                "geo_lat Float64 $.geo.lat",
                "geo_is_known Bool $.geo.['is-known']",
                "extra Map(String, Int64) $.extra",
                "n Int64 $.n",
            ]
        );
    }

    #[test]
    fn what_is_no_footer_is_none() {
        let whole = footer(vec![element("schema", None, 1), element("n", Some(Type::INT64), 0)]);
        assert_eq!(fields(&whole).map(|f| f.len()), Some(1));
        // Cut in front, in the middle, damaged, and lies about lengths and children.
        for end in (0..whole.len()).map(|n| &whole[n..]) {
            let _ = fields(end);
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                let _ = fields(&damaged);
            }
        }
        assert_eq!(fields(b"PAR1"), None);
        assert_eq!(fields(&[&[0xff; 4], MAGIC].concat()), None);
        let lies = footer(vec![element("schema", None, i32::MAX), element("n", Some(Type::INT64), 0)]);
        assert_eq!(fields(&lies), None);
    }
}
