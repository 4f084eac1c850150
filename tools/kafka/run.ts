/**
 * The second engine: fetches Apache Kafka, starts it, and runs on it every test that speaks to a broker.
 *
 *     node tools/kafka/run.ts                 all of them
 *     node tools/kafka/run.ts FILE...         these, one file after the other
 *     node tools/kafka/run.ts --serve [PORT]  only Kafka, until Ctrl-C; prints its address
 *
 * Exits 0 when the tests pass, and when Kafka cannot be had here, which the last line says; 1 when a test fails.
 */
import { once } from 'node:events'
import { startNodeTests } from '../node-tests.ts'
import { fetchKafka, kafkaVersion } from './fetch-kafka.ts'
import { startKafka } from './start-kafka.ts'

const suites = ['test/scenarios/*/*.ts', 'test/conformance/peers/*.test.ts', 'test/kafka/*.test.ts']
const fileTimeoutMs = 120_000

const [first, ...rest] = process.argv.slice(2)
const fetched = await fetchKafka()
if ('unavailable' in fetched) {
  console.log(`test:kafka did not run: ${fetched.unavailable}`)
} else if (first === '--serve') {
  await serve(fetched.jars, rest[0] === undefined ? undefined : Number(rest[0]))
} else {
  process.exitCode = await runTests(fetched.jars, first === undefined ? suites : [first, ...rest])
}

async function serve(jars: string, port: number | undefined): Promise<void> {
  await using kafka = await startKafka(jars, port === undefined ? {} : { port })
  console.log(kafka.address)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), kafka.ended])
}

async function runTests(jars: string, files: readonly string[]): Promise<number> {
  await using kafka = await startKafka(jars)
  console.log(`Apache Kafka ${kafkaVersion} on ${kafka.address}`)
  const run = async (some: readonly string[], concurrency: number): Promise<number | null> => {
    const tests = startNodeTests({
      files: some,
      timeoutMs: fileTimeoutMs,
      concurrency,
      env: { MILLRACE_TEST_ENGINE: 'kafka', MILLRACE_TEST_BROKERS: kafka.address },
    })
    const [exitCode] = (await Promise.race([once(tests, 'exit'), kafka.ended]).finally(() =>
      tests.kill(),
    )) as [number | null]
    return exitCode
  }
  // Files that were named may need the cluster for themselves, as those of the gateway do.
  const code = await run(files, files === suites ? 2 : 1)
  console.log(
    code === 0
      ? `test:kafka passed on Apache Kafka ${kafkaVersion}`
      : `test:kafka failed on Apache Kafka ${kafkaVersion}`,
  )
  return code === 0 ? 0 : 1
}
