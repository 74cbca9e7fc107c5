/** The options --name=value of the command; `folder` is where files lie, `runner` is Beam's. */
export function readOptions() {
  const given = process.argv.slice(2).map((argument) => {
    const [, name, value] = argument.match(/^--(\w+)=(.+)$/) ?? [];
    if (name === undefined) throw new Error(`${argument}: expected --name=value`);
    return [name, value];
  });
  return { folder: new URL('work', import.meta.url).pathname, runner: 'direct', ...Object.fromEntries(given) };
}
