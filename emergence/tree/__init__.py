"""One round enumerated: every draw of nature, every joint action."""
