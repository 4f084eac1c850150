/**
 * A configuration is checked before anything is connected: broker URL scheme and port, names, a topic twice in a group,
 * waits that contradict, a certificate without its key, an unknown group on the command line. All faults in one run, each
 * with its path; exit 1.
 */
import assert from 'node:assert/strict'
import { appFolder } from '../../harness/app-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async (scene) => {
  await using app = await appFolder(scene, {
    'millrace.config.ts': `
      import { defineApp, defineConfig, defineConsumer, defineTopic } from SOURCES
      const users = defineTopic('users')
      const each = () => {}
      export default defineConfig({
        clientId: 'shop',
        session: '6s',
        heartbeat: '5s',
        rebalance: { drain: '3m' },
        worker: { shutdownTimeout: '0s' },
        fetch: { maxWait: '45s' },
        producer: { linger: '3m' },
        tls: { cert: 'PEM' },
        clusters: { audit: { brokers: ['ftp://far:9092', 'far:99999', 'far'] } },
        app: defineApp({
          topics: [defineTopic('sp ace'), defineTopic('a.b_c')],
          consumers: [
            defineConsumer({ topic: users, name: 'one', group: 'mail', each }),
            defineConsumer({ topic: users, name: 'two', group: 'mail', each, commit: { interval: 0 } }),
            defineConsumer({ topic: users, name: 'th ree', retries: 3, each }),
          ],
        }),
      })`,
  })
  const { code, stdout, stderr } = await app.run(
    'worker',
    '--include',
    'group:mai',
    '--exclude',
    'x:y',
  )
  assert.equal(code, 1)
  assert.equal(stdout, '')
  for (const fault of [
    'clusters.audit.brokers[0]: ftp:// is none of kafka, kafka+ssl, plaintext, ssl',
    'clusters.audit.brokers[1]: 99999 is not a port',
    'clusters.audit.brokers[2]: far has no port',
    'heartbeat: 5000 ms is more than a third of session, 6000 ms',
    'worker.shutdownTimeout: 0 leaves no time to finish anything',
    'fetch.maxWait: 45000 ms is longer than a request may take',
    'producer.linger: 180000 ms is longer than producer.deliveryTimeout, 120000 ms',
    'tls.key: is missing beside cert',
    'sp ace',
    'a.b_c',
    'include: there is no group mai; did you mean mail?',
    'exclude: x: is none of group:, topic:, consumer:',
  ])
    assert.ok(stderr.includes(fault), `${fault} in\n${stderr}`)

  // The rest shows once the command line names no unknown part.
  const whole = await app.run('worker')
  assert.equal(whole.code, 1)
  for (const fault of [
    'consumers.two: users is consumed by one in the group mail already',
    "consumers.th ree.name: 'th ree' has other characters than",
    'consumers.th ree.retries: after 3 retries the message has nowhere to go',
    'consumers.two.commit: neither interval nor every ever commits',
  ])
    assert.ok(whole.stderr.includes(fault), `${fault} in\n${whole.stderr}`)

  // As does what a broker's address says on the command line.
  const flag = await app.run('worker', '--brokers', 'http://localhost:9092')
  assert.equal(flag.code, 2)
  assert.match(flag.stderr, /--brokers: http:\/\/ is no scheme of a Kafka cluster/)
})
