//! What each operation may fail with: a status and its codes.

use std::collections::BTreeMap;

/// Every code of the API: status, code, what it means. A code that the source has and this does not fails a test.
pub(super) const CODES: &[(u16, &str, &str)] = &[
    (400, "bad-request", "The request cannot be understood."),
    (400, "body-incomplete", "The request broke off."),
    (
        400,
        "empty-filename",
        "The file has no name of at least one visible character.",
    ),
    (
        400,
        "import-failed",
        "The file could not be fetched, whatever the reason.",
    ),
    (
        400,
        "invalid-condition",
        "If-Match or If-None-Match cannot be read.",
    ),
    (
        400,
        "invalid-cursor",
        "The cursor is none that this server gave for this list.",
    ),
    (
        400,
        "invalid-filter",
        "The tag, type or status that the list is narrowed to is none.",
    ),
    (400, "invalid-search", "More is searched for than can be."),
    (400, "invalid-format", "A list is had as CSV or JSON."),
    (400, "invalid-files", "The number of files is out of range."),
    (
        400,
        "invalid-idempotency-key",
        "The key is no word of at most 255 printable ASCII characters.",
    ),
    (
        400,
        "invalid-json",
        "The body is not the JSON object that belongs here.",
    ),
    (400, "invalid-limit", "The limit is out of range."),
    (
        400,
        "invalid-query",
        "A parameter is not of the right kind, or stands there twice.",
    ),
    (400, "invalid-size", "A side of the thumbnail is out of range."),
    (400, "invalid-size-field", "The field size is no number of bytes."),
    (400, "malformed-form", "The form is no multipart/form-data."),
    (400, "no-file", "The form has no file in a field named file."),
    (400, "nothing-chosen", "No document is named."),
    (
        400,
        "too-many-documents",
        "More documents are named than can be worked on at once.",
    ),
    (400, "several-files", "The form has more than one file."),
    (
        400,
        "size-mismatch",
        "The file does not have the number of bytes that was announced.",
    ),
    (400, "too-many-fields", "The form has too many fields."),
    (
        401,
        "sign-in-needed",
        "No token and no session, or one that has ended.",
    ),
    (
        403,
        "forbidden",
        "You may not do this, or the form token is missing, or it is switched off.",
    ),
    (
        404,
        "not-found",
        "There is nothing here, or it is not yours: the two are the same.",
    ),
    (408, "body-stalled", "The body did not come in time."),
    (408, "timeout", "The request did not come in time."),
    (
        409,
        "claim-spent",
        "The right to store this file was used already, or is over.",
    ),
    (409, "conflict", "Somebody else changed this at the same moment."),
    (409, "document-infected", "A virus was found in the file."),
    (
        409,
        "document-quarantined",
        "The file is being looked at for viruses.",
    ),
    (
        409,
        "no-thumbnail",
        "The document is no picture that thumbnails are made of.",
    ),
    (
        409,
        "request-in-progress",
        "The request with this Idempotency-Key is still being worked on.",
    ),
    (410, "file-gone", "The file was deleted at Filestack."),
    (
        412,
        "changed-meanwhile",
        "The document is not what If-Match says.",
    ),
    (
        413,
        "body-too-large",
        "The body is longer than anything that is taken here.",
    ),
    (
        413,
        "upload-too-large",
        "The file is larger than what is taken here.",
    ),
    (
        415,
        "unsupported-media-type",
        "The body's Content-Type is not taken here.",
    ),
    (
        413,
        "over-quota",
        "There is no room for it: your quota, or everybody's, is used up.",
    ),
    (
        422,
        "idempotency-key-reused",
        "The Idempotency-Key was used for another request.",
    ),
    (
        422,
        "invalid-fields",
        "A field breaks a rule: `errors` says which.",
    ),
    (
        429,
        "too-many-tries",
        "Too many requests: wait as long as Retry-After says.",
    ),
    (500, "internal", "Something went wrong on our side."),
    (
        502,
        "filestack-failed",
        "Filestack answered in a way that is not understood.",
    ),
    (502, "filestack-file-missing", "Filestack no longer has the file."),
    (
        502,
        "filestack-refused",
        "Filestack refused the request: an administrator should look at the settings.",
    ),
    (503, "database-busy", "The database is busy or cannot be reached."),
    (503, "filestack-busy", "Filestack asks to slow down."),
    (503, "filestack-unavailable", "Filestack cannot be reached."),
    (
        503,
        "filestack-unconfirmed",
        "Filestack did not confirm that it has the file.",
    ),
    (503, "imports-busy", "Other files are being imported."),
    (503, "stopping", "The server is stopping."),
];

/// What everything may fail with.
const ALWAYS: &[&str] = &[
    "bad-request",
    "sign-in-needed",
    "forbidden",
    "too-many-tries",
    "internal",
    "database-busy",
    "stopping",
];
/// What changes something besides: sent by another site, or without the form token.
const WRITES: &[&str] = &["timeout", "body-too-large", "conflict"];
const JSON: &[&str] = &[
    "invalid-json",
    "unsupported-media-type",
    "upload-too-large",
    "body-stalled",
];
const FORM: &[&str] = &[
    "body-incomplete",
    "body-stalled",
    "malformed-form",
    "too-many-fields",
    "no-file",
    "several-files",
    "invalid-size-field",
    "unsupported-media-type",
];
const FILE: &[&str] = &[
    "empty-filename",
    "size-mismatch",
    "upload-too-large",
    "over-quota",
];
const FILESTACK: &[&str] = &[
    "filestack-failed",
    "filestack-refused",
    "filestack-file-missing",
    "filestack-busy",
    "filestack-unavailable",
    "filestack-unconfirmed",
];
const ONCE: &[&str] = &[
    "invalid-idempotency-key",
    "request-in-progress",
    "idempotency-key-reused",
];
const SERVED: &[&str] = &[
    "not-found",
    "file-gone",
    "document-quarantined",
    "document-infected",
];

/// The codes of an operation besides those that everything has.
fn own(operation: &str) -> &'static [&'static [&'static str]] {
    match operation {
        "createUpload" | "createUploadV2" | "createUploadWithProcessing" => &[FORM, FILE, FILESTACK, ONCE],
        "importUpload" => &[JSON, FILE, FILESTACK, ONCE, &["import-failed", "imports-busy"]],
        "registerUpload" => &[
            JSON,
            FILESTACK,
            ONCE,
            &["invalid-fields", "not-found", "claim-spent", "over-quota"],
        ],
        "showPickerConfig" => &[&[
            "invalid-query",
            "invalid-files",
            "not-found",
            "claim-spent",
            "over-quota",
        ]],
        "showDownloadUrl" => &[SERVED],
        "showThumbnail" => &[SERVED, &["invalid-query", "invalid-size", "no-thumbnail"]],
        "createArchive" => &[JSON, &["nothing-chosen", "too-many-documents", "not-found"]],
        "trashDocuments" | "restoreDocuments" => &[JSON, &["nothing-chosen", "too-many-documents"]],
        "tagDocuments" => &[JSON, &["nothing-chosen", "too-many-documents", "invalid-fields"]],
        "purgeDocument" | "restoreDocument" => &[&["not-found"]],
        "listDocuments" => &[&[
            "invalid-query",
            "invalid-limit",
            "invalid-cursor",
            "invalid-filter",
            "invalid-search",
        ]],
        "listTrash" => &[&["invalid-query", "invalid-limit", "invalid-cursor"]],
        "showDocument" => &[&["not-found", "invalid-condition"]],
        "updateDocument" => &[
            JSON,
            &[
                "not-found",
                "invalid-condition",
                "changed-meanwhile",
                "invalid-fields",
            ],
        ],
        "deleteDocument" => &[&["not-found", "invalid-condition", "changed-meanwhile"]],
        "listDocumentJobs" | "listDocumentResults" => &[&["not-found"]],
        _ => &[],
    }
}

/// Status and codes of what an operation may fail with.
pub(super) fn of(operation: &str, reads: bool) -> BTreeMap<u16, Vec<&'static str>> {
    let mut found = BTreeMap::<u16, Vec<&str>>::new();
    let always = [ALWAYS, if reads { &[] } else { WRITES }];
    for code in always.iter().chain(own(operation)).copied().flatten() {
        for (status, ..) in CODES.iter().filter(|(_, known, _)| known == code) {
            let codes = found.entry(*status).or_default();
            if !codes.contains(code) {
                codes.push(code);
            }
        }
    }
    found
}
