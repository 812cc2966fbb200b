//! The protobuf messages of `proto/`, as prost generates them.
//!
//! Fields have explicit presence (`Option`) and are written in ascending order of their numbers, as protobufjs does,
//! so equal messages have equal bytes here and in Baileys.

#![allow(missing_docs, clippy::all, reason = "generated; what needs saying is said in proto/")]

include!(concat!(env!("OUT_DIR"), "/baileys_native.wa.rs"));
