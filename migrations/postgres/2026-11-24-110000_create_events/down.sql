DROP INDEX uploads_by_handle;
DROP TABLE document_findings;
DROP TABLE document_results;
DROP TABLE event_rejections;
DROP TABLE event_deliveries;
DROP TABLE events;
