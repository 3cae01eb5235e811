//! What was worked out lately, kept for whoever asks the same: bounded, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values of a pure function by what they were made from.
pub struct Latest<K, V> {
    most: usize,
    kept: Mutex<VecDeque<(K, V)>>,
}

impl<K: PartialEq, V: Clone> Latest<K, V> {
    pub const fn new(most: usize) -> Self {
        Self { most, kept: Mutex::new(VecDeque::new()) }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        self.kept().iter().find(|(kept, _)| kept == key).map(|(_, value)| value.clone())
    }

    pub fn put(&self, key: K, value: V) {
        let mut kept = self.kept();
        kept.truncate(self.most - 1);
        kept.push_front((key, value));
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(K, V)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Latest;

    #[test]
    fn the_oldest_goes_first() {
        let squares = Latest::new(2);
        for n in [3, 4, 5] {
            squares.put(n, n * n);
        }
        assert_eq!([3, 4, 5].map(|n| squares.get(&n)), [None, Some(16), Some(25)]);
    }
}
