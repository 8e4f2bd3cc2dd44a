"""From the bytes of an HTTP request to a verified, typed event and a command. Pure, no I/O.

`verify` decides who may speak, `event` reads the payload in every shape Azure DevOps sends,
`command` parses the comment. Nothing of a payload is trusted beyond "look at this comment": ids
are taken, URLs never are.
"""
