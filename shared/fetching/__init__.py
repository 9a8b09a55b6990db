"""Pictures of others, fetched by URL: from allowed hosts alone, within limits, politely."""
