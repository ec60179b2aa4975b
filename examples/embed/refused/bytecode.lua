-- chunks that are not source text
load(string.dump(function() end))()
