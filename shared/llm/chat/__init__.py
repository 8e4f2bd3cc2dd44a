"""Models over the official SDKs: Anthropic's, and OpenAI's for everything that speaks its wire.

`build.build_chat_model` makes a `ChatModel` of a `spec.ChatSpec`. Nothing here tries twice, reads
the environment, or quotes what was said or with which key. The SDKs are imported when the first
request is sent.
"""
