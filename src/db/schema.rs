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
        quota_bytes -> Nullable<BigInt>,
        quota_documents -> Nullable<BigInt>,
        reserved_bytes -> BigInt,
        reserved_documents -> BigInt,
        trashed_count -> BigInt,
        invited_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    installation (id) {
        id -> Integer,
        set_up_at -> Nullable<BigInt>,
        quota_bytes -> Nullable<BigInt>,
        quota_documents -> Nullable<BigInt>,
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
        reauthenticated_at -> BigInt,
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
        scopes -> Text,
    }
}

diesel::table! {
    password_links (token_hash) {
        token_hash -> Text,
        user_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
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
        wish -> Text,
        started_at -> BigInt,
        updated_at -> BigInt,
        reserved_bytes -> Nullable<BigInt>,
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
        trashed_at -> Nullable<BigInt>,
        tags -> Text,
        note -> Text,
        family -> Text,
        words -> Nullable<Text>,
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
    claims (id) {
        id -> Text,
        uses -> Integer,
        first_used_at -> BigInt,
    }
}

diesel::table! {
    events (id) {
        id -> Text,
        dedupe_key -> Text,
        filestack_id -> Nullable<BigInt>,
        action -> Text,
        body -> Binary,
        digest -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        handle -> Nullable<Text>,
        path -> Nullable<Text>,
        document_id -> Nullable<Text>,
        late -> Bool,
        sample -> Bool,
        signed_at -> BigInt,
        received_at -> BigInt,
        settled_at -> Nullable<BigInt>,
        deliveries -> Integer,
        attempts -> Integer,
        headers -> Text,
        took_micros -> BigInt,
        first_settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    event_batches (id) {
        id -> Text,
        deliveries -> Text,
    }
}

diesel::table! {
    event_deliveries (event_id, number) {
        event_id -> Text,
        number -> Integer,
        received_at -> BigInt,
        signed_at -> BigInt,
        headers -> Text,
        verdict -> Text,
        took_micros -> BigInt,
    }
}

diesel::table! {
    event_rejections (seq) {
        seq -> BigInt,
        received_at -> BigInt,
        reason -> Text,
        ip -> Text,
        headers -> Text,
        body -> Binary,
        body_bytes -> BigInt,
    }
}

diesel::table! {
    document_results (id) {
        id -> Text,
        document_id -> Text,
        kind -> Text,
        key -> Text,
        state -> Text,
        handle -> Nullable<Text>,
        name -> Text,
        content_type -> Text,
        size_bytes -> Nullable<BigInt>,
        details -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    document_findings (document_id, kind) {
        document_id -> Text,
        kind -> Text,
        value -> Text,
        found_at -> BigInt,
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

diesel::table! {
    audit_entries (id) {
        id -> Text,
        at -> BigInt,
        actor_id -> Nullable<Text>,
        actor -> Text,
        means -> Text,
        ip -> Text,
        action -> Text,
        subject -> Text,
        subject_name -> Text,
        document_id -> Nullable<Text>,
        before -> Text,
        after -> Text,
        reason -> Text,
    }
}

diesel::table! {
    daily_figures (day, name) {
        day -> Integer,
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    statistics_mark (id) {
        id -> Integer,
        counted_until -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (user_id, name) {
        user_id -> Text,
        name -> Text,
        route -> Text,
        fingerprint -> Text,
        holder -> Text,
        held_until -> BigInt,
        upload_id -> Nullable<Text>,
        status -> Nullable<Integer>,
        answer -> Nullable<Text>,
        made_at -> BigInt,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(password_links -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    api_tokens,
    sign_in_attempts,
    uploads,
    documents,
    file_removals,
    events,
    event_batches,
    event_deliveries,
    event_rejections,
    document_results,
    document_findings,
    jobs,
    setup_tokens,
    installation,
    claims,
    password_links,
    audit_entries,
    idempotency_keys,
);
