//! Values as Perl sends them: booleans as 0, 1, "0", "1"; numbers as strings; strings as numbers.
//!
//! What always holds here: each type reads every JSON value. What it cannot understand is `None`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::clients) struct Flag(pub(in crate::clients) Option<bool>);

/// A whole number that is not negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::clients) struct Int(pub(in crate::clients) Option<u64>);

/// A finite number.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::clients) struct Num(pub(in crate::clients) Option<f64>);

/// A text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::clients) struct Text<'a>(pub(in crate::clients) Option<Cow<'a, str>>);

impl Flag {
    pub(in crate::clients) fn yes(self) -> bool {
        self.0 == Some(true)
    }
}

impl Int {
    pub(in crate::clients) fn u32(self) -> Option<u32> {
        self.0.and_then(|n| u32::try_from(n).ok())
    }
}

impl Text<'_> {
    /// The text, empty where there is none.
    pub(in crate::clients) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// What a scalar may be before it is understood as one of the types.
enum Scalar<'a> {
    None,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::None)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Unsigned(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Signed(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(v)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(AnyScalar)? {
            Scalar::None => None,
            Scalar::Bool(v) => Some(v),
            Scalar::Unsigned(v) => Some(v != 0),
            Scalar::Signed(v) => Some(v != 0),
            Scalar::Float(v) => Some(v != 0.0),
            Scalar::Text(v) => match v.trim() {
                "1" | "true" | "yes" | "on" => Some(true),
                "0" | "false" | "no" | "off" | "" => Some(false),
                _ => None,
            },
        }))
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match deserializer.deserialize_any(AnyScalar)? {
            Scalar::None => None,
            Scalar::Bool(v) => Some(f64::from(u8::from(v))),
            Scalar::Unsigned(v) => Some(v as f64),
            Scalar::Signed(v) => Some(v as f64),
            Scalar::Float(v) => Some(v),
            Scalar::Text(v) => v.trim().parse().ok(),
        };
        Ok(Self(number.filter(|n| n.is_finite())))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(AnyScalar)? {
            Scalar::None => None,
            Scalar::Bool(v) => Some(u64::from(v)),
            Scalar::Unsigned(v) => Some(v),
            Scalar::Signed(v) => u64::try_from(v).ok(),
            Scalar::Float(v) => whole(v),
            Scalar::Text(v) => {
                let v = v.trim();
                v.parse().ok().or_else(|| whole(v.parse().ok()?))
            }
        }))
    }
}

fn whole(number: f64) -> Option<u64> {
    // 2^64 as a float; what is below it fits.
    (0.0..18_446_744_073_709_551_616.0)
        .contains(&number)
        .then_some(number as u64)
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(AnyScalar)? {
            Scalar::None => None,
            Scalar::Bool(v) => Some(if v { "1" } else { "0" }.into()),
            Scalar::Unsigned(v) => Some(v.to_string().into()),
            Scalar::Signed(v) => Some(v.to_string().into()),
            Scalar::Float(v) => Some(v.to_string().into()),
            Scalar::Text(v) => Some(v),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_spelling_of_a_flag() {
        for json in ["1", "\"1\"", "true", "2", "\"on\""] {
            assert_eq!(read::<Flag>(json), Flag(Some(true)), "{json}");
        }
        for json in ["0", "\"0\"", "false", "\"\""] {
            assert_eq!(read::<Flag>(json), Flag(Some(false)), "{json}");
        }
        for json in ["null", "\"maybe\"", "{}", "[1]"] {
            assert_eq!(read::<Flag>(json), Flag(None), "{json}");
        }
    }

    #[test]
    fn numbers_and_strings_change_places() {
        assert_eq!(read::<Int>("\"512\""), Int(Some(512)));
        assert_eq!(read::<Int>("1.5e9"), Int(Some(1_500_000_000)));
        assert_eq!(read::<Int>("\"1.5e9\""), Int(Some(1_500_000_000)));
        assert_eq!(read::<Int>("-1"), Int(None));
        assert_eq!(read::<Int>("1e300"), Int(None));
        assert_eq!(read::<Int>("\"N/A\""), Int(None));
        assert_eq!(read::<Num>("\"1.84\""), Num(Some(1.84)));
        assert_eq!(read::<Num>("\"NaN\""), Num(None));
        assert_eq!(read::<Text<'_>>("7"), Text(Some("7".into())));
        assert_eq!(read::<Text<'_>>(r#""a\u0041""#), Text(Some("aA".into())));
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec(("[a-z]{0,4}", inner), 0..4)
                    .prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_is_unreadable(value in any_json()) {
            let json = value.to_string();
            read::<Flag>(&json);
            read::<Int>(&json);
            read::<Text<'_>>(&json);
            if let Num(Some(number)) = read::<Num>(&json) {
                prop_assert!(number.is_finite());
            }
        }

        #[test]
        fn a_number_is_the_same_as_text(number in any::<u64>()) {
            prop_assert_eq!(read::<Int>(&format!("\"{number}\"")), Int(Some(number)));
            prop_assert_eq!(read::<Int>(&number.to_string()), Int(Some(number)));
        }
    }
}
