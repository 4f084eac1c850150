import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Pinned: a newer Kafka becomes the second engine by a commit, not by a release on the other side of the world. */
export const kafkaVersion = '4.4.0'

const run = promisify(execFile)
const fetchTimeoutMs = 300_000

/** Where Kafka's jars are, or why they cannot be had on this machine. */
export type FetchedKafka = { readonly jars: string } | { readonly unavailable: string }

/** Kafka's jars if an earlier run has fetched them; nothing is downloaded. */
export function cachedKafka(version: string = kafkaVersion): string | undefined {
  const jars = jarsFolder(version)
  return existsSync(jars) ? jars : undefined
}

/** Takes Kafka from the cache folder, or from Maven Central into it. Needs `java` 17 or newer, and once `mvn`. */
export async function fetchKafka(version: string = kafkaVersion): Promise<FetchedKafka> {
  try {
    await run('java', ['-version'])
  } catch {
    return { unavailable: 'java is not installed (17 or newer is needed)' }
  }
  const jars = jarsFolder(version)
  if (existsSync(jars)) return { jars }

  try {
    await run('mvn', ['-version'])
  } catch {
    return {
      unavailable: 'Maven (mvn) is not installed, and there is no Kafka in the cache folder',
    }
  }
  await mkdir(dirname(jars), { recursive: true })
  const folder = await mkdtemp(`${jars}-fetching-`)
  try {
    await writeFile(join(folder, 'pom.xml'), pomOf(version))
    await run(
      'mvn',
      [
        '--quiet',
        '--batch-mode',
        `--file=${join(folder, 'pom.xml')}`,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(folder, 'jars')}`,
      ],
      { timeout: fetchTimeoutMs },
    )
    // Whole or not at all: a second run beside this one finds nothing or everything.
    await rename(join(folder, 'jars'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error
    })
    return { jars }
  } catch (error) {
    const [reason = ''] = String((error as { stdout?: unknown }).stdout ?? error).split('\n')
    return { unavailable: `Maven could not fetch Apache Kafka ${version}: ${reason}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function jarsFolder(version: string): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return join(caches, 'millrace', `kafka-${version}`)
}

function pomOf(version: string): string {
  const wanted = [
    ['org.apache.kafka', 'kafka_2.13', version],
    ['org.apache.kafka', 'kafka-tools', version],
    ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.3'],
  ]
  const dependencies = wanted.map(
    ([group, artifact, of]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${of}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>second-engine</artifactId><version>1</version>
  <dependencies>${dependencies.join('\n')}</dependencies>
</project>
`
}
