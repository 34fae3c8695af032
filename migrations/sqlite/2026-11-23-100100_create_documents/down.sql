DROP TABLE file_removals;
DROP TABLE document_search;
DROP TABLE documents;
DROP TABLE uploads;
