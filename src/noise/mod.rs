//! The Noise symmetric state and the two transport directions.
