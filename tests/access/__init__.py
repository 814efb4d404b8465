"""Who may see whom, tried: every route of every service by every kind of caller.

- `table`: the policy written a second time;
- `cast`: who calls, and in what relation they stand to the one client whom most attempts are about;
- `expected`: what follows of the two;
- `world`: a database with all of them in it, and `facts`, `practices`: how a service is told of them;
- `records`: what is behind each path variable, with words that nobody else may read;
- `bodies`, `sending`: requests; `attempts`: which of them; `verdict`: what is wrong with an answer.
"""
