/** Two Java threads, "a" and "b", each of which has the monitor that the other wants. */
public class Verdicts {
    private static final Object left = new Object(), right = new Object();
    private static int have;

    private static synchronized void meet() throws InterruptedException {
        have++;
        Verdicts.class.notifyAll();
        while (have < 2)
            Verdicts.class.wait();
    }

    private static void lock(Object own, Object other) {
        synchronized (own) {
            try {
                meet();
            } catch (InterruptedException e) {
                return;
            }
            synchronized (other) {
                have--;
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Thread a = new Thread(() -> lock(left, right), "a");
        Thread b = new Thread(() -> lock(right, left), "b");
        a.start();
        b.start();
        while (a.getState() != Thread.State.BLOCKED || b.getState() != Thread.State.BLOCKED)
            Thread.sleep(10);
        System.out.println("ready");
        a.join();
    }
}
