//! The tables as Diesel sees them, the same for both databases; `migrations/` makes them.
//!
//! `document_search` is missing on purpose: it is a different thing on each database, and `models::search` speaks SQL to it.

#![expect(missing_docs, reason = "the tables are described where migrations make them")]

diesel::table! {
    users (id) {
        seq -> BigInt,
        id -> Text,
        email -> Text,
        password_hash -> Text,
        role -> Text,
        document_count -> BigInt,
        stored_bytes -> BigInt,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    installation (id) {
        id -> Integer,
        set_up_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    setup_tokens (token_hash) {
        token_hash -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (id_hash) {
        id_hash -> Text,
        user_id -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        ip -> Text,
        user_agent -> Text,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        user_id -> Text,
        name -> Text,
        token_hash -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sign_in_attempts (subject) {
        subject -> Text,
        failures -> Integer,
        blocked_until -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    uploads (id) {
        id -> Text,
        owner_id -> Text,
        state -> Text,
        name -> Text,
        path -> Text,
        handle -> Nullable<Text>,
        failure -> Nullable<Text>,
        started_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    documents (id) {
        seq -> BigInt,
        id -> Text,
        owner_id -> Text,
        handle -> Text,
        name -> Text,
        name_key -> Text,
        content_type -> Text,
        declared_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Text,
        status -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    file_removals (handle) {
        handle -> Text,
        reason -> Text,
        attempts -> Integer,
        next_try_at -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        state -> Text,
        priority -> Integer,
        payload -> Text,
        document_id -> Nullable<Text>,
        unique_key -> Nullable<Text>,
        run_at -> BigInt,
        attempts -> Integer,
        max_attempts -> Integer,
        progress -> Integer,
        reason -> Nullable<Text>,
        fence -> BigInt,
        lease_until -> Nullable<BigInt>,
        worker -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    api_tokens,
    sign_in_attempts,
    uploads,
    documents,
    file_removals,
    jobs,
    setup_tokens,
    installation,
);
