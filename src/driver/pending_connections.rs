//! Connections that wait for the options of the user.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::endpoint::OptionsAnswer;

/// The connections of a session that wait for their options.
#[derive(Debug, Default)]
pub struct PendingConnections(Mutex<ConnectionAnswers>);

#[derive(Debug, Default)]
struct ConnectionAnswers {
    next: u32,
    /// Connections that were not reported to the user yet.
    unreported: Vec<u32>,
    answers: HashMap<u32, OptionsAnswer>,
}

impl PendingConnections {
    fn lock(&self) -> MutexGuard<'_, ConnectionAnswers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub fn add(&self, answer: OptionsAnswer) {
        let mut pending = self.lock();
        // Removes the connections that the session has given up.
        pending.answers.retain(|_, answer| !answer.is_closed());
        let number = pending.next;
        pending.next = number.wrapping_add(1);
        pending.unreported.push(number);
        pending.answers.insert(number, answer);
    }

    /// Takes the numbers of the connections that were not reported to the user yet.
    #[must_use]
    pub fn take_unreported(&self) -> Vec<u32> {
        std::mem::take(&mut self.lock().unreported)
    }

    /// Ends the waiting connections.
    pub fn clear(&self) {
        *self.lock() = ConnectionAnswers::default();
    }

    /// Takes the sender for the answer about a connection. `None` if the connection was given up.
    #[must_use]
    pub fn take(&self, number: u32) -> Option<OptionsAnswer> {
        self.lock().answers.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::failure::Failure;

    #[test]
    fn each_connection_is_reported_once_and_answered_once() {
        let pending = PendingConnections::default();
        let (given_up, _) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        pending.add(given_up);
        pending.add(answer);
        assert_eq!(pending.take_unreported(), [0, 1]);
        assert!(pending.take_unreported().is_empty());
        assert!(pending.take(0).is_none());
        let sender = pending.take(1).unwrap();
        sender.send(Err(Failure::new("why"))).unwrap();
        assert!(pending.take(1).is_none());
        assert_eq!(answered.try_recv().unwrap().unwrap_err().message, "why");
    }

    #[test]
    fn clear_ends_the_waiting_connections() {
        let pending = PendingConnections::default();
        let (answer, mut answered) = oneshot::channel();
        pending.add(answer);
        pending.clear();
        assert!(pending.take_unreported().is_empty());
        assert_eq!(answered.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
    }
}
