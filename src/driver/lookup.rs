//! Name resolution. There is at most one lookup per name at a time; concurrent requests share it.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use tokio::sync::watch;

type Outcome = Result<Vec<SocketAddr>, Arc<io::Error>>;
type Answer = watch::Receiver<Option<Outcome>>;

/// Resolves a name. If a lookup of the same name is running, its result is used. A lookup that nobody waits for
/// continues on a blocking thread of the operating system's resolver. Sharing it avoids that repeated requests occupy
/// all threads.
pub(super) async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, Arc<io::Error>> {
    static LOOKUPS: LazyLock<Lookups> = LazyLock::new(Lookups::default);
    let answer = LOOKUPS.join(host, |host| async move {
        let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
        Ok(found.collect())
    });
    let mut addresses = outcome(answer).await?;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

async fn outcome(mut answer: Answer) -> Outcome {
    let gone = || Arc::new(io::Error::other("the name lookup was cancelled"));
    let outcome = answer.wait_for(Option::is_some).await.map_err(|_| gone())?;
    outcome.clone().unwrap_or_else(|| Err(gone()))
}

/// The running lookups, by name.
#[derive(Default)]
struct Lookups(Mutex<HashMap<String, Answer>>);

impl Lookups {
    /// Joins the running lookup of `host`, or starts a new one with `start`.
    fn join<F>(&self, host: &str, start: impl FnOnce(String) -> F) -> Answer
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Drop finished lookups.
        pending.retain(|_, answer| answer.has_changed().is_ok());
        if let Some(answer) = pending.get(host) {
            return answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        pending.insert(host.to_owned(), answer.clone());
        let work = start(host.to_owned());
        tokio::spawn(async move {
            let outcome = work.await.map_err(Arc::new);
            // The send has no effect if nobody waits any more.
            sender.send_replace(Some(outcome));
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use tokio::{runtime::Builder, sync::oneshot};

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, last], 0))
    }

    #[test]
    fn concurrent_lookups_of_a_name_share_one_query() {
        block_on(async {
            let lookups = Lookups::default();
            let (finish, finished) = oneshot::channel();
            let hanging = |_| async move { Ok(vec![address(finished.await.unwrap_or(0))]) };
            let abandoned = lookups.join("a.test", hanging);
            drop(abandoned);
            let joined = lookups.join("a.test", |_| async { Ok(vec![address(9)]) });
            let other = lookups.join("b.test", |_| async { Err(io::ErrorKind::NotFound.into()) });
            assert_eq!(outcome(other).await.unwrap_err().kind(), io::ErrorKind::NotFound);
            finish.send(1).unwrap();
            let mut ended = joined.clone();
            assert_eq!(outcome(joined).await.unwrap(), [address(1)]);
            while ended.changed().await.is_ok() {}
            let next = lookups.join("a.test", |_| async { Ok(vec![address(2)]) });
            assert_eq!(outcome(next).await.unwrap(), [address(2)]);
        });
    }

    #[test]
    fn addresses_get_the_port() {
        let addresses = block_on(lookup("127.0.0.1", 7)).unwrap();
        assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], 7))]);
    }
}
