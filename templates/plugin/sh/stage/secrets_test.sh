ask secrets.get '{"names": ["token"]}'
expect '.error.message | contains("not written yet")'
