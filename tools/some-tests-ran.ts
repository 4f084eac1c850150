/** A second reporter: `node --test` exits 0 when its pattern matches no file, and that must not pass for success. */
export default async function* someTestsRan(
  source: AsyncIterable<{ readonly type: string }>,
): AsyncGenerator<string> {
  let ran = 0
  for await (const event of source) {
    if (event.type === 'test:pass' || event.type === 'test:fail') ran += 1
  }
  if (ran === 0) {
    process.exitCode = 1
    yield 'No test ran: the pattern matches no file.\n'
  }
}
