//! `StatsD` over UDP: counters, gauges, timers and sets of programs on this machine, summed up at each
//! flush. Checks look at them; nothing else leaves the agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// Names that are known at once; further ones are counted and dropped.
pub const NAMES_MAX: usize = 1_000;
/// Bytes of a name, with its tags.
const NAME_LEN_BYTES_MAX: usize = 256;
/// Values of a timer, and members of a set, that one flush looks at.
const VALUES_MAX: usize = 4_096;
/// A datagram is not longer.
const DATAGRAM_LEN_BYTES_MAX: usize = 64 * 1024;
/// What was not heard of for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(1);
/// So long it is listened, and for one flush, before it is said that nothing comes under a name: many programs
/// say how they are once a minute, and whoever was started anew forgot what they said before.
const LISTENED_TIME_MIN: Duration = Duration::from_mins(1);
/// What a timer or set said holds for so long.
const HOLDS: Duration = Duration::from_mins(2);
/// Pause after a failed read of datagrams.
const RETRY: Duration = Duration::from_millis(200);

/// One line as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name, with tags if there are any.
    pub name: String,
    /// What is said of it.
    pub value: Value,
}

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// So many more.
    Counter(f64),
    /// It is this.
    Gauge(f64),
    /// It is so much more than before, or less.
    GaugeChange(f64),
    /// It took so many seconds; and how many such there are for each that is sent.
    Timer(f64, f64),
    /// This was seen.
    Member(String),
}

/// Reads one line: `name:value|type`, with `|@rate` and `|#tags` if there are any. Other lines are none.
pub fn read_line(line: &str) -> Option<Line> {
    let (name, rest) = line.trim().split_once(':')?;
    let mut parts = rest.split('|');
    let (text, kind) = (parts.next()?, parts.next()?);
    let (mut rate, mut tags) = (1.0, BTreeSet::new());
    for part in parts {
        if let Some(sampled) = part.strip_prefix('@') {
            rate = number(sampled).filter(|rate| *rate > 0.0 && *rate <= 1.0)?;
        } else if let Some(listed) = part.strip_prefix('#') {
            tags.extend(listed.split(',').filter(|tag| !tag.is_empty()));
        }
    }
    let is_name = |c: char| !aramaki_model::is_deceptive(c) && !c.is_whitespace();
    if name.is_empty() || !rest.chars().chain(name.chars()).all(is_name) {
        return None;
    }
    let mut name = name.to_owned();
    if !tags.is_empty() {
        let tags: Vec<&str> = tags.into_iter().collect();
        name = format!("{name}{{{}}}", tags.join(","));
    }
    if name.len() > NAME_LEN_BYTES_MAX {
        return None;
    }
    let value = match kind {
        "c" => Value::Counter(number(text)? / rate),
        "g" if text.starts_with(['+', '-']) => Value::GaugeChange(number(text)?),
        "g" => Value::Gauge(number(text)?),
        "ms" => Value::Timer(number(text)? / 1_000.0, 1.0 / rate),
        // Histograms and distributions have a unit that only their sender knows.
        "h" | "d" => Value::Timer(number(text)?, 1.0 / rate),
        "s" if text.len() <= NAME_LEN_BYTES_MAX => Value::Member(text.to_owned()),
        _ => return None,
    };
    Some(Line { name, value })
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// What came since the last flush, by name.
#[derive(Debug, Default)]
pub struct Table {
    entries: BTreeMap<String, Entry>,
    /// Lines that were none, or of more names than there is room for.
    pub dropped: u64,
}

#[derive(Debug)]
struct Entry {
    heard: Instant,
    sum: Sum,
}

#[derive(Debug)]
enum Sum {
    Counter(f64),
    Gauge(f64),
    Timer { values: Vec<f64>, count: f64 },
    Set(BTreeSet<u64>),
}

impl Table {
    /// Takes the lines of a datagram in.
    pub fn take(&mut self, datagram: &[u8], now: Instant) {
        let text = String::from_utf8_lossy(datagram);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let taken = read_line(line).is_some_and(|line| self.add(line, now));
            self.dropped += u64::from(!taken);
        }
    }

    fn add(&mut self, line: Line, now: Instant) -> bool {
        let is_full = self.entries.len() >= NAMES_MAX;
        let empty = || match line.value {
            Value::Counter(_) => Sum::Counter(0.0),
            Value::Gauge(_) | Value::GaugeChange(_) => Sum::Gauge(0.0),
            Value::Timer(..) => Sum::Timer {
                values: Vec::new(),
                count: 0.0,
            },
            Value::Member(_) => Sum::Set(BTreeSet::new()),
        };
        if is_full && !self.entries.contains_key(&line.name) {
            return false;
        }
        let entry = self.entries.entry(line.name).or_insert_with(|| Entry {
            heard: now,
            sum: empty(),
        });
        entry.heard = now;
        match (&mut entry.sum, line.value) {
            (Sum::Counter(sum), Value::Counter(more))
            | (Sum::Gauge(sum), Value::GaugeChange(more)) => {
                *sum = finite(*sum + more);
            }
            (Sum::Gauge(gauge), Value::Gauge(value)) => *gauge = value,
            (Sum::Timer { values, count }, Value::Timer(value, weight)) => {
                *count = finite(*count + weight);
                if values.len() < VALUES_MAX {
                    values.push(value);
                }
            }
            (Sum::Set(members), Value::Member(member)) => {
                let hash = blake3::hash(member.as_bytes());
                let hash = hash.as_bytes().first_chunk().copied().unwrap_or_default();
                if members.len() < VALUES_MAX {
                    members.insert(u64::from_le_bytes(hash));
                }
            }
            // The same name as something else: the first one counts.
            _ => return false,
        }
        true
    }

    /// Sums up what came since the last flush, `over` so long, and begins anew. A counter without news
    /// is 0, a gauge stays.
    pub fn flush(&mut self, over: Duration, now: Instant) -> BTreeMap<String, f64> {
        let seconds = over.as_secs_f64().max(0.001);
        self.entries
            .retain(|_, entry| now.saturating_duration_since(entry.heard) < FORGET_AFTER);
        let mut values = BTreeMap::new();
        for (name, entry) in &mut self.entries {
            let mut say = |suffix: &str, value: f64| {
                values.insert(format!("{name}{suffix}"), finite(value));
            };
            match &mut entry.sum {
                Sum::Counter(sum) => {
                    say("", *sum / seconds);
                    say(".count", *sum);
                    *sum = 0.0;
                }
                Sum::Gauge(gauge) => say("", *gauge),
                Sum::Set(members) if !members.is_empty() => {
                    #[expect(clippy::cast_precision_loss, reason = "a set has few members")]
                    say("", members.len() as f64);
                    members.clear();
                }
                Sum::Timer { values, count } if !values.is_empty() => {
                    values.sort_by(f64::total_cmp);
                    #[expect(clippy::cast_precision_loss, reason = "a flush has few values")]
                    let mean = finite(values.iter().sum()) / values.len() as f64;
                    say(".mean", mean);
                    say(".count", *count);
                    say(".rate", *count / seconds);
                    for (suffix, percent) in [
                        (".lower", 0),
                        (".median", 50),
                        (".p95", 95),
                        (".p99", 99),
                        (".upper", 100),
                    ] {
                        // The nearest rank: the least value that so many are not above.
                        let rank = (values.len() * percent).div_ceil(100).max(1);
                        say(suffix, values.get(rank - 1).copied().unwrap_or(mean));
                    }
                    values.clear();
                    *count = 0.0;
                }
                Sum::Set(_) | Sum::Timer { .. } => {}
            }
        }
        values
    }
}

fn finite(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

/// The last values, for checks.
#[derive(Clone, Debug, Default)]
pub struct Measured(Arc<Mutex<Known>>);

/// What is known of what programs send.
#[derive(Debug, Default)]
struct Known {
    /// When this process began to listen; never where nothing is to be listened to.
    since: Option<Instant>,
    is_flushed: bool,
    values: BTreeMap<String, (Instant, f64)>,
}

impl Measured {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is listened.
    fn listens(&self, now: Instant) {
        self.known().since.get_or_insert(now);
    }

    /// Publishes what a flush said.
    fn publish(&self, values: BTreeMap<String, f64>, now: Instant) {
        let mut known = self.known();
        known.is_flushed = true;
        known
            .values
            .retain(|_, (at, _)| now.saturating_duration_since(*at) < HOLDS);
        let values = values.into_iter();
        known
            .values
            .extend(values.map(|(name, value)| (name, (now, value))));
    }

    /// Whether nothing came under a name that says something: it was not listened for long enough.
    pub(crate) fn is_too_early(&self, name: &str, now: Instant) -> bool {
        if self.value(name, now).is_some() {
            return false;
        }
        let known = self.known();
        let listened = known.since.map(|at| now.saturating_duration_since(at));
        listened.is_some_and(|listened| !known.is_flushed || listened < LISTENED_TIME_MIN)
    }

    /// The last value under a name, if it is not too old.
    pub fn value(&self, name: &str, now: Instant) -> Option<f64> {
        let known = self.known();
        let (at, value) = known.values.get(name)?;
        (now.saturating_duration_since(*at) < HOLDS).then_some(*value)
    }

    /// All names that can be looked at.
    pub fn names(&self) -> Vec<String> {
        self.known().values.keys().cloned().collect()
    }
}

/// Takes datagrams and flushes until `stop`.
pub(super) async fn serve(
    socket: UdpSocket,
    every: Duration,
    measured: Measured,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; DATAGRAM_LEN_BYTES_MAX];
    let mut table = Table::default();
    let mut flushed = Instant::now();
    measured.listens(flushed);
    let mut flush = tokio::time::interval(every);
    flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    flush.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => match received {
                Ok((len, _from)) => {
                    table.take(buffer.get(..len).unwrap_or_default(), Instant::now());
                }
                Err(error) => {
                    tracing::warn!(%error, "StatsD's datagrams cannot be read");
                    tokio::time::sleep(RETRY).await;
                }
            },
            _ = flush.tick() => {
                let now = Instant::now();
                let values = table.flush(now.saturating_duration_since(flushed), now);
                flushed = now;
                measured.publish(values, now);
                if table.dropped > 0 {
                    tracing::debug!(dropped = table.dropped, "lines of StatsD were dropped");
                    table.dropped = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLUSH: Duration = Duration::from_secs(10);

    fn after(datagrams: &[&str]) -> (Table, BTreeMap<String, f64>) {
        let now = Instant::now();
        let mut table = Table::default();
        for datagram in datagrams {
            table.take(datagram.as_bytes(), now);
        }
        let values = table.flush(FLUSH, now);
        (table, values)
    }

    fn value(values: &BTreeMap<String, f64>, name: &str) -> f64 {
        values.get(name).copied().unwrap_or(f64::NAN)
    }

    fn is(values: &BTreeMap<String, f64>, name: &str, expected: f64) {
        let found = value(values, name);
        assert!(
            (found - expected).abs() < 1e-9,
            "{name} is {found}: {values:?}"
        );
    }

    #[test]
    fn the_four_kinds_are_summed_up() {
        let (mut table, values) = after(&[
            "hits:3|c\nhits:1|c|@0.1\n",
            "queue:7|g\nqueue:+3|g\nqueue:-2|g",
            "users:alice|s\nusers:bob|s\nusers:alice|s",
            "took:100|ms\ntook:300|ms|@0.5",
        ]);
        is(&values, "hits.count", 13.0);
        is(&values, "hits", 1.3);
        is(&values, "queue", 8.0);
        is(&values, "users", 2.0);
        is(&values, "took.mean", 0.2);
        is(&values, "took.upper", 0.3);
        is(&values, "took.median", 0.1);
        is(&values, "took.count", 3.0);
        assert_eq!(table.dropped, 0);
        // Without news a counter is 0 and a gauge stays; a timer says nothing.
        let values = table.flush(FLUSH, Instant::now());
        is(&values, "hits", 0.0);
        is(&values, "queue", 8.0);
        assert!(!values.contains_key("took.mean") && !values.contains_key("users"));
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let lines: Vec<String> = (1..=100).map(|ms| format!("t:{ms}|ms")).collect();
        let (_, values) = after(&[&lines.join("\n")]);
        is(&values, "t.p95", 0.095);
        is(&values, "t.p99", 0.099);
        is(&values, "t.lower", 0.001);
    }

    #[test]
    fn tags_make_another_name_in_one_order() {
        let (_, values) = after(&["a:1|g|#env:prod,dc:x", "a:2|g|#dc:x,env:prod"]);
        is(&values, "a{dc:x,env:prod}", 2.0);
    }

    #[test]
    fn what_is_no_line_costs_only_itself() {
        for wrong in [
            "a",
            "a:1",
            "a:|c",
            "a:1|x",
            ":1|c",
            "a:NaN|g",
            "a:inf|c",
            "a:1|c|@0",
            "a:1|c|@2",
            "a b:1|c",
            "a\u{202e}:1|c",
        ] {
            let (table, values) = after(&[wrong, "good:1|c"]);
            assert_eq!(table.dropped, 1, "{wrong}");
            is(&values, "good.count", 1.0);
        }
        let (table, values) = after(&["a:1|c\na:5|g"]);
        assert_eq!(table.dropped, 1);
        is(&values, "a.count", 1.0);
    }

    #[test]
    fn names_and_values_are_bounded() {
        let mut lines: Vec<String> = (0..NAMES_MAX + 5).map(|n| format!("n{n}:1|c")).collect();
        lines.extend((0..VALUES_MAX + 5).map(|n| format!("n0:{n}|c")));
        let (table, _) = after(&[&lines.join("\n")]);
        assert_eq!(table.entries.len(), NAMES_MAX);
        assert_eq!(table.dropped, 5);
        let many: Vec<String> = (0..VALUES_MAX * 2).map(|n| format!("t:{n}|ms")).collect();
        let (_, values) = after(&[&many.join("\n")]);
        is(&values, "t.count", 8192.0);
        let most = "c:1e308|c|@0.1\nc:1e308|c\nt:1e308|h\nt:1e308|h\nt:-1e308|h|@1e-300";
        let (_, values) = after(&[most]);
        assert!(values.values().all(|it| it.is_finite()), "{values:?}");
        assert!(values.len() > 8);
    }

    #[test]
    fn that_nothing_comes_is_said_after_a_flush_and_a_minute_and_at_once_where_nobody_listens() {
        let (now, measured) = (Instant::now(), Measured::default());
        assert!(!measured.is_too_early("a", now), "nobody listens");
        measured.listens(now);
        measured.listens(now + FLUSH);
        let minute = now + LISTENED_TIME_MIN;
        assert!(measured.is_too_early("a", minute), "no flush yet");
        measured.publish(BTreeMap::from([("b".to_owned(), 1.0)]), now + FLUSH);
        assert!(!measured.is_too_early("b", now + FLUSH), "a value is there");
        assert!(measured.is_too_early("a", now + FLUSH));
        assert!(!measured.is_too_early("a", minute), "long enough");
    }

    #[test]
    fn values_hold_for_a_while_and_names_are_forgotten() {
        let (now, measured) = (Instant::now(), Measured::default());
        measured.publish(BTreeMap::from([("a".to_owned(), 1.0)]), now);
        assert_eq!(measured.value("a", now + FLUSH), Some(1.0));
        assert_eq!(measured.value("a", now + HOLDS), None);
        let mut table = Table::default();
        table.take(b"a:1|g", now);
        assert_eq!(table.flush(FLUSH, now + FORGET_AFTER), BTreeMap::new());
    }
}
