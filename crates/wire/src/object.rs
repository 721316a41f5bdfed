//! Objects that are written as such.
//!
//! The reader that is made for a structure also takes a list of its values in their order. Whoever reads the contract in
//! another language does not, so a list is refused here: what one reader takes, each one does.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A structure that stands as an object.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject(PhantomData))
    }
}

struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A field that holds an object.
pub(crate) fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}

/// A field that may hold an object.
pub(crate) fn maybe<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let found = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(found.map(|object| object.0))
}

/// A field that holds a list of objects.
pub(crate) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let found = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(found.into_iter().map(|object| object.0).collect())
}

#[cfg(test)]
mod tests {
    use crate::{Batch, EncodedEvent, MomentV1, Signed};

    const EVENT: &str = r#"{"v":1,"seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","boot":"b","kind":"logon","evidence":"notice","occurred_at":0,"recorded_at":{"wall":0,"offset":0,"biased":0,"unbiased":0},"session":{"boot":"b","id":"2","logon":"3"},"account":{"key":"S-1","domain":"","name":"n"}}"#;
    const BATCH: &str = r#"{"v":1,"contract":"demo","terminal":"t","sent_at":{"wall":0,"offset":0,"biased":0,"unbiased":0},"boot":"b","waiting":0,"makeup":"m","agent":"0","events":[{"resent":false,"event":{}}]}"#;

    #[test]
    fn a_list_is_no_object() {
        assert!(EncodedEvent::decode(EVENT).is_ok());
        for (object, list) in [
            (r#"{"wall":0,"offset":0,"biased":0,"unbiased":0}"#, "[0,0,0,0]"),
            (r#"{"boot":"b","id":"2","logon":"3"}"#, r#"["b","2","3"]"#),
            (r#"{"key":"S-1","domain":"","name":"n"}"#, r#"["S-1","","n",null]"#),
        ] {
            assert!(EVENT.contains(object));
            assert!(EncodedEvent::decode(&EVENT.replace(object, list)).is_err(), "{list}");
        }
        let peek = |payload: &str| {
            Signed::parse(format!(r#"{{"payload":{payload},"signature":""}}"#).as_bytes())
                .unwrap()
                .peek::<Batch>()
        };
        assert_eq!(peek(BATCH).unwrap().events[0].event.get(), "{}");
        for (object, list) in [
            (r#"{"wall":0,"offset":0,"biased":0,"unbiased":0}"#, "[0,0,0,0]"),
            (r#"{"resent":false,"event":{}}"#, "[false,{}]"),
        ] {
            assert!(BATCH.contains(object) && peek(&BATCH.replace(object, list)).is_err(), "{list}");
        }
        assert!(serde_json::from_str::<MomentV1>("[0,0,0,0]").is_ok(), "what is refused at the top, too");
        let moment = Signed::parse(br#"{"payload":[0,0,0,0],"signature":""}"#).unwrap();
        assert!(moment.peek::<MomentV1>().is_err());
    }
}
