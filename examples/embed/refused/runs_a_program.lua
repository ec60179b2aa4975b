-- attempt to call
os.execute "true"
