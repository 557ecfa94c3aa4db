//! Long arrays of which two versions share what did not change: a search keeps the one it began with.

use std::sync::Arc;

/// Values in one chunk: changing one copies so many.
const CHUNK: usize = 512;

/// An array of values.
#[derive(Clone, Debug)]
pub(super) struct Chunked<T> {
    chunks: Vec<Arc<Vec<T>>>,
    length: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: vec![], length: 0 }
    }
}

impl<T: Clone> Chunked<T> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Panics beyond the end, as slices do.
    pub(super) fn get(&self, index: usize) -> &T {
        &self.chunks[index / CHUNK][index % CHUNK]
    }

    /// Panics beyond the end, as slices do.
    pub(super) fn get_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.chunks[index / CHUNK])[index % CHUNK]
    }

    pub(super) fn push(&mut self, value: T) {
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(value);
            self.length += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

/// Lists in one chunk: changing one copies so many.
const LISTS: usize = 128;

/// An array of short lists, those of a chunk behind one another.
#[derive(Clone, Debug)]
pub(super) struct Lists<T> {
    chunks: Vec<Arc<ListChunk<T>>>,
    length: usize,
}

#[derive(Clone, Debug)]
struct ListChunk<T> {
    /// Where each list ends; the first begins at 0.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { chunks: vec![], length: 0 }
    }
}

impl<T: Copy> Lists<T> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Panics beyond the end, as slices do.
    pub(super) fn get(&self, index: usize) -> &[T] {
        let chunk = &self.chunks[index / LISTS];
        &chunk.items[chunk.range(index % LISTS)]
    }

    pub(super) fn push(&mut self, list: &[T]) {
        if self.length.is_multiple_of(LISTS) {
            self.chunks.push(Arc::new(ListChunk { ends: Vec::with_capacity(LISTS), items: vec![] }));
        }
        if let Some(last) = self.chunks.last_mut() {
            let chunk = Arc::make_mut(last);
            chunk.items.extend_from_slice(list);
            chunk.ends.push(end(chunk.items.len()));
            self.length += 1;
        }
    }

    /// Puts another list in the place of one. Panics beyond the end, as slices do.
    pub(super) fn set(&mut self, index: usize, list: &[T]) {
        let chunk = Arc::make_mut(&mut self.chunks[index / LISTS]);
        let range = chunk.range(index % LISTS);
        let (before, after) = (range.len(), list.len());
        chunk.items.splice(range, list.iter().copied());
        for other in &mut chunk.ends[index % LISTS..] {
            *other = end(*other as usize + after - before);
        }
    }
}

impl<T> ListChunk<T> {
    fn range(&self, index: usize) -> std::ops::Range<usize> {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        begin..self.ends[index] as usize
    }
}

/// A chunk holds far less than four billion items: each comes from a manifest of limited size.
#[expect(clippy::cast_possible_truncation, reason = "128 manifests have less than 2^32 items")]
fn end(items: usize) -> u32 {
    items as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_change_with_the_other() {
        let (mut values, mut lists) = (Chunked::default(), Lists::default());
        for number in 0..2_000u32 {
            values.push(number);
            lists.push(&vec![number; number as usize % 5]);
        }
        let (old_values, old_lists) = (values.clone(), lists.clone());
        *values.get_mut(700) = 1;
        lists.set(700, &[1, 2, 3]);
        lists.set(701, &[]);
        lists.push(&[9]);
        assert_eq!((*values.get(700), *old_values.get(700)), (1, 700));
        assert_eq!((lists.get(700), lists.get(701), lists.get(702)), (&[1, 2, 3][..], &[][..], &[702, 702][..]));
        assert_eq!((old_lists.get(700), old_lists.get(701)), (&[][..], &[701][..]));
        assert_eq!((lists.get(1_999), lists.get(2_000)), (&[1_999; 4][..], &[9][..]));
        assert_eq!((values.len(), values.iter().sum::<u32>()), (2_000, 1_999_000 - 699));
    }
}
