"""SQL text to a plan: parsed, bound to the catalog, scoped, generated. Pure; no user text reaches the engine.

text -> lex -> parse -> nodes -> resolve -> tree -> generate -> Plan
        (grammar: the first allow-list)     (names, types, scope: the second)      (one rule a class)
"""
