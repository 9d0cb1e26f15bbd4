use super::*;

#[test]
fn json_goes_both_ways_in_order() {
    for text in ["null", "true", "[1,-2,18446744073709551615,1.5,\"a\"]", "{\"b\":1,\"a\":{\"c\":[]}}"] {
        assert_eq!(Value::from_json(text).expect("JSON").to_json(), text);
    }
    assert_eq!(Value::int(BigInt::from(2).pow(70)).to_json(), "\"1180591620717411303424\"");
    assert_eq!(Value::float(f64::NAN).to_json(), "null");
    assert!(Value::from_json(&"[".repeat(500)).is_err());
}
