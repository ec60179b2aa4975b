-- text chunks
load(string.dump(function() end))()
