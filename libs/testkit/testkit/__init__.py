"""What tests share: servers, fresh databases and topics, builders."""
