//! The pending queries.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Millis;

/// Identifies a query of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryId(pub u64);

/// Options of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryOptions {
    /// Time limit for the answer. `None` uses [`query_timeout`](super::Config::query_timeout) of the session.
    pub timeout: Option<Millis>,
    /// Whether the query can be sent twice without harm. Such a query survives a reconnection and is sent again.
    pub idempotent: bool,
}

/// The purpose of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    User(QueryId),
    KeepAlive,
    Activate,
    CompanionHello,
    CompanionFinish,
}

/// Who waits for a stanza with a given id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerTarget {
    Nobody,
    User,
    Session,
    /// The session, but it already has an answer.
    SessionSettled,
}

impl AnswerTarget {
    /// Whether the stanza is for the session only.
    pub(super) fn is_session(self) -> bool {
        matches!(self, Self::Session | Self::SessionSettled)
    }
}

/// A pending query.
#[derive(Debug)]
pub(super) struct PendingQuery {
    pub(super) purpose: Purpose,
    pub(super) asked_at: Millis,
    deadline: Option<Millis>,
    /// The queries are numbered in the order in which they were sent.
    order: u64,
    /// The encoded stanza of an idempotent query.
    resend: Option<Vec<u8>>,
    /// Whether the query was asked on an earlier connection.
    survived: bool,
}

/// Number of ids of the session's own settled queries that are kept. A second answer to such a query is not delivered
/// to the user.
const REMEMBERED: usize = 8;

/// The table of pending queries. Each removal uses [`remove`](Self::remove), so that all parts of the table stay
/// consistent.
#[derive(Debug, Default)]
pub(super) struct Queries {
    by_id: HashMap<String, PendingQuery>,
    by_query: HashMap<QueryId, String>,
    deadlines: BTreeSet<(Millis, u64, String)>,
    asked: u64,
    own_settled: VecDeque<String>,
}

impl Queries {
    /// The number of pending queries.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The number of pending queries of the user.
    pub(super) fn user_count(&self) -> usize {
        self.by_query.len()
    }

    /// Whether a query with this id is pending.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns who waits for a stanza with this id.
    pub(super) fn target(&self, id: &str) -> AnswerTarget {
        match self.by_id.get(id).map(|pending| pending.purpose) {
            Some(Purpose::User(_)) => AnswerTarget::User,
            Some(_) => AnswerTarget::Session,
            None if self.own_settled.iter().any(|settled| settled == id) => AnswerTarget::SessionSettled,
            None => AnswerTarget::Nobody,
        }
    }

    /// The identifier that the next query of the user gets.
    pub(super) fn next_query(&self) -> QueryId {
        QueryId(self.asked)
    }

    /// Adds a query. No query with this id may be pending.
    pub(super) fn insert(
        &mut self,
        id: String,
        purpose: Purpose,
        now: Millis,
        timeout: Option<Millis>,
        resend: Option<Vec<u8>>,
    ) {
        let order = self.asked;
        self.asked += 1;
        let deadline = timeout.map(|timeout| now.saturating_add(timeout));
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, order, id.clone()));
        }
        if let Purpose::User(query) = purpose {
            self.by_query.insert(query, id.clone());
        }
        self.by_id.insert(
            id,
            PendingQuery {
                purpose,
                asked_at: now,
                deadline,
                order,
                resend,
                survived: false,
            },
        );
    }

    /// Removes a query.
    pub(super) fn remove(&mut self, id: &str) -> Option<PendingQuery> {
        let (id, pending) = self.by_id.remove_entry(id)?;
        match pending.purpose {
            Purpose::User(query) => {
                self.by_query.remove(&query);
            }
            _ => {
                self.own_settled.truncate(REMEMBERED - 1);
                self.own_settled.push_front(id.clone());
            }
        }
        if let Some(deadline) = pending.deadline {
            self.deadlines.remove(&(deadline, pending.order, id));
        }
        Some(pending)
    }

    /// Removes a query of the user.
    pub(super) fn cancel(&mut self, query: QueryId) -> Option<PendingQuery> {
        let id = self.by_query.get(&query)?.clone();
        self.remove(&id)
    }

    /// The earliest deadline.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(deadline, ..)| *deadline)
    }

    /// Removes the next query that has timed out.
    pub(super) fn take_expired(&mut self, now: Millis) -> Option<PendingQuery> {
        let (_, _, id) = self
            .deadlines
            .first()
            .filter(|(deadline, ..)| *deadline <= now)?
            .clone();
        self.remove(&id)
    }

    /// Removes the queries that end with their connection, in the order in which they were sent. If `keep_idempotent`
    /// is true, idempotent queries stay.
    pub(super) fn take_ended(&mut self, keep_idempotent: bool) -> Vec<PendingQuery> {
        let ends = |pending: &PendingQuery| !keep_idempotent || pending.resend.is_none();
        let ids: Vec<String> = self
            .by_id
            .iter()
            .filter(|(_, pending)| ends(pending))
            .map(|(id, _)| id.clone())
            .collect();
        let mut ended: Vec<PendingQuery> = ids.iter().filter_map(|id| self.remove(id)).collect();
        ended.sort_unstable_by_key(|pending| pending.order);
        for pending in self.by_id.values_mut() {
            pending.survived = true;
        }
        ended
    }

    /// The encoded stanzas of idempotent queries of earlier connections, in the order in which they were sent.
    pub(super) fn repeats(&self) -> Vec<Vec<u8>> {
        let mut repeats: Vec<(u64, &Vec<u8>)> = self
            .by_id
            .values()
            .filter(|pending| pending.survived)
            .filter_map(|pending| Some((pending.order, pending.resend.as_ref()?)))
            .collect();
        repeats.sort_unstable_by_key(|(order, _)| *order);
        repeats.into_iter().map(|(_, stanza)| stanza.clone()).collect()
    }
}

/// Generates stanza ids. As in Baileys, an id has two random 16-bit numbers and a counter.
#[derive(Debug)]
pub(super) struct Ids {
    prefix: String,
    count: u64,
}

impl Ids {
    pub(super) fn new(random: [u8; 4]) -> Self {
        let [a, b, c, d] = random;
        let prefix = format!("{}.{}-", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Self { prefix, count: 1 }
    }

    pub(super) fn next(&mut self) -> String {
        let id = format!("{}{}", self.prefix, self.count);
        self.count += 1;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u64) -> Purpose {
        Purpose::User(QueryId(number))
    }

    #[test]
    fn removed_queries_are_in_no_index() {
        let mut queries = Queries::default();
        for (place, id) in ["a", "b", "c", "d"].into_iter().enumerate() {
            queries.insert(id.into(), user(place as u64), 0, Some(10 * (4 - place as u64)), None);
        }
        assert_eq!(queries.next_deadline(), Some(10));
        assert_eq!(queries.remove("a").unwrap().purpose, user(0));
        assert!(queries.remove("a").is_none());
        assert_eq!(queries.cancel(QueryId(1)).unwrap().purpose, user(1));
        assert!(queries.cancel(QueryId(1)).is_none());
        assert_eq!(queries.take_expired(10).unwrap().purpose, user(3));
        assert!(queries.take_expired(10).is_none());
        assert_eq!(queries.take_ended(true).len(), 1);
        assert!(queries.by_id.is_empty() && queries.by_query.is_empty() && queries.deadlines.is_empty());
    }

    #[test]
    fn idempotent_queries_survive_in_order() {
        let mut queries = Queries::default();
        for (place, id) in ["x", "m", "a"].into_iter().enumerate() {
            queries.insert(id.into(), user(place as u64), 0, None, Some(vec![place as u8]));
        }
        queries.insert("z".into(), user(9), 0, None, None);
        assert_eq!(queries.take_ended(true).len(), 1);
        // It is sent on the new connection already.
        queries.insert("n".into(), user(10), 0, None, Some(vec![3]));
        assert_eq!(queries.repeats(), [[0], [1], [2]]);
        assert_eq!(queries.take_ended(false).len(), 4);
    }

    #[test]
    fn own_ids_stay_known_for_a_while() {
        let mut queries = Queries::default();
        queries.insert("k".into(), Purpose::KeepAlive, 0, None, None);
        assert_eq!(queries.target("k"), AnswerTarget::Session);
        queries.remove("k");
        assert_eq!(queries.target("k"), AnswerTarget::SessionSettled);
        for place in 0..REMEMBERED {
            queries.insert(place.to_string(), Purpose::KeepAlive, 0, None, None);
            queries.remove(&place.to_string());
        }
        assert_eq!(queries.target("k"), AnswerTarget::Nobody);
    }

    #[test]
    fn ids_look_like_those_of_baileys() {
        let mut ids = Ids::new([0xff, 0xfe, 0, 7]);
        assert_eq!([ids.next(), ids.next()], ["65534.7-1", "65534.7-2"]);
    }
}
