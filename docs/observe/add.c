/* What the profile and the backtrace name: the thunk of this function stands under it. */
__attribute__((noinline)) int add(int a, int b)
{
    int sum = 0;
    for (int i = 0; i < 40; i++)
        sum += (a ^ i) + b;
    return sum;
}
