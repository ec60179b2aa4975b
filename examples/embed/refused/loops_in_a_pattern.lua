-- deadline of the script is over
return (("a"):rep(100000)):find(".-.-.-.-.-b")
