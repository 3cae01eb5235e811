//! How often one person may ask, and in which language they read.

use crate::text::Locale;
use poise::serenity_prelude::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Questions that may come at once.
const BURST: f64 = 20.0;
/// Questions per second in the long run.
const RATE: f64 = 1.0;
/// People remembered; those who have not asked for long are forgotten first.
const MOST: usize = 10_000;

/// A bucket of questions for each person, filled at a steady rate.
#[derive(Default)]
pub(super) struct Visitors(Mutex<HashMap<UserId, Bucket>>);

struct Bucket {
    left: f64,
    at: Instant,
    /// What their client shows; a message does not tell.
    locale: Option<Locale>,
}

impl Visitors {
    fn buckets(&self) -> MutexGuard<'_, HashMap<UserId, Bucket>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn locale(&self, user: UserId) -> Option<Locale> {
        self.buckets().get(&user)?.locale
    }

    /// Whether this question may be answered; `locale` where it came with one.
    pub fn admit(&self, user: UserId, locale: Option<Locale>, now: Instant) -> bool {
        let mut buckets = self.buckets();
        if buckets.len() >= MOST {
            // A full bucket says no more than none.
            let refill = Duration::from_secs_f64(BURST / RATE);
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < refill);
        }
        let bucket = buckets.entry(user).or_insert(Bucket { left: BURST, at: now, locale });
        bucket.locale = locale.or(bucket.locale);
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * RATE).min(BURST);
        bucket.at = now;
        let may = bucket.left >= 1.0;
        if may {
            bucket.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let (visitors, start) = (Visitors::default(), Instant::now());
        let (ann, ben) = (UserId::new(1), UserId::new(2));
        assert!((0..20).all(|_| visitors.admit(ann, None, start)));
        assert!(!visitors.admit(ann, None, start), "one more at once");
        assert!(visitors.admit(ben, Some(Locale::ZhCn), start), "others are not held up");
        assert!(visitors.admit(ann, None, start + Duration::from_secs(1)), "one a second");
        assert!(!visitors.admit(ann, None, start + Duration::from_secs(1)));
    }

    #[test]
    fn a_language_once_told_is_remembered() {
        let (visitors, ann) = (Visitors::default(), UserId::new(1));
        assert_eq!(visitors.locale(ann), None);
        visitors.admit(ann, Some(Locale::ZhCn), Instant::now());
        visitors.admit(ann, None, Instant::now());
        assert_eq!(visitors.locale(ann), Some(Locale::ZhCn));
    }
}
