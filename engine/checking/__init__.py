"""What definitions say, judged before anything runs: names, graph, people, links, texts.

Each code of the definition language, section 13, is one small function in a table of
`engine.checking.examining`.
"""
