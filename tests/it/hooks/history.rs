//! Promise 3: whatever the order and the number in which events arrive, they end in the same state.
