import { failure } from '../errors/index.ts'
import { recorder, type TestApp } from './test-app.ts'

/** What the promises are held against, until its scope ends: then a broken one fails the test. */
export interface InvariantWatch extends AsyncDisposable {
  /** One line each, beginning with the promise's number. Of what has been seen so far. */
  readonly violations: readonly string[]
  /** Looks through the logs and committed offsets as well. @throws MR_TEST_INVARIANT_BROKEN with every violation */
  check(): Promise<void>
}

/**
 * Watches that the application keeps, from its start on, what Millrace promises:
 *
 * 1. no commit passes an unfinished message; 2. order within a partition, or a key with lanes; 3. one attempt at a
 * time, none after the partition has gone; 4. marks and commits only while the partition is owned; 5. no failure makes
 * a member leave; 6. each error is told once, as it was thrown; 7. nothing is skipped silently; 8. every stop ends in
 * time.
 *
 * Not seen: whether one failing partition delays another.
 *
 * @example
 * await using app = await startTestApp(config)
 * await using watch = watchInvariants(app)
 */
export function watchInvariants(app: TestApp): InvariantWatch {
  const recording = app[recorder]
  const check = async (): Promise<void> => {
    await recording.account()
    const { violations } = recording.checker
    if (violations.length > 0) throw failure('MR_TEST_INVARIANT_BROKEN', { violations })
  }
  return {
    get violations() {
      return recording.checker.violations
    },
    check,
    [Symbol.asyncDispose]: check,
  }
}
