//! The sender that JavaScript and the I/O thread share. In every schedule no counter is used twice, and if the I/O thread
//! seals, the frames on the wire are in the order of their counters.

use arbitrary::Unstructured;
use baileys_native::binary::Dialect;

use super::super::support::shared_sender::{Step, World, opened};

/// `data` is a list of steps.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let (mut shared_sender, mut world) = (opened(Dialect::V7), World::default());
    while !source.is_empty() {
        let Ok(step) = source.arbitrary::<Step>() else { break };
        world.apply(&mut shared_sender, &step);
    }
    world.finish(&shared_sender);
}
