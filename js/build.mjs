// Bundles the viewer and the index page into one HTML file each (inline script and style, so that they open from any host
// and from disk), the widgets into one module, and the panel into an extension of JupyterLab.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { context, transform } from 'esbuild';
import { minify as terser } from 'terser';
import { extension } from './lab-extension.mjs';
import { asComment, noticesOf, packagesIn } from './notices.mjs';

const minify = !process.argv.includes('--watch');

const template = new URL('src/entries/index.html', import.meta.url);
const target = new URL('../karospace_jupyter/_static/viewer.html', import.meta.url);

const lab = new URL('../karospace_jupyter/_static/labextensions/karospace-jupyter/', import.meta.url);

/** Minifies the script of the page, which every bundle contains: 5% smaller than with esbuild alone. */
const compact = async (script) =>
  minify
    ? (
        await terser(script, {
          ecma: 2020,
          compress: { passes: 4, unsafe_arrows: true, unsafe_methods: true },
          format: { comments: false },
        })
      ).code
    : script;

/** Escapes `</script`, which would end the script; the backslash changes no string or regular expression. */
const safe = (script) => script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

/** Writes a page with its script and the notices of the packages in it. */
async function writePage(result, template, script, file) {
  const notices = asComment(await noticesOf(packagesIn(result.metafile)));
  const html = template.replace('/*script*/', () => script).replace('</body>', () => `${notices}</body>`);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, html);
  console.log(`${file.pathname.split('/').at(-1)} ${Math.round(Buffer.byteLength(html) / 1024)} kB`);
  return html;
}

const page = {
  name: 'page',
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      const script = safe(await compact(result.outputFiles[0].text));
      const html = await writePage(result, await readFile(template, 'utf8'), script, target);
      // The panel needs the page to show bundles without a kernel.
      await mkdir(new URL('static/', lab), { recursive: true });
      await writeFile(new URL('static/viewer.html', lab), html);
    });
  },
};

/** Builds the index page. Its security policy allows only its own script and style, by hash. */
const bundlesPage = {
  name: 'bundles-page',
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      const script = safe(await compact(result.outputFiles[0].text));
      const { code: style } = await transform(
        await readFile(new URL('src/bundles/bundles.css', import.meta.url), 'utf8'),
        { loader: 'css', minify, target: 'es2022' },
      );
      const hash = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
      const html = (await readFile(new URL('src/entries/bundles.html', import.meta.url), 'utf8'))
        .replace('/*script-hash*/', hash(script))
        .replace('/*style-hash*/', hash(style))
        .replace('/*style*/', () => style);
      await writePage(result, html, script, new URL('bundles.html', target));
    });
  },
};

/** Minifies style sheets and shaders: they are imported as text, which esbuild leaves unchanged. */
const texts = {
  name: 'texts',
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        loader: 'css',
        minify,
        target: 'es2022',
      });
      return { contents: code, loader: 'text' };
    });
    build.onLoad({ filter: /\.glsl$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const short = code.replace(/\/\/.*$/gm, '').replace(/^\s+/gm, '');
      return { contents: minify ? short : code, loader: 'text' };
    });
  },
};

const common = {
  bundle: true,
  metafile: true,
  target: 'es2022',
  minify,
  charset: 'utf8',
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.svg': 'text', '.py': 'text' },
  plugins: [texts],
};
const entry = (name) => new URL(`src/entries/${name}`, import.meta.url).pathname;
const bundles = await Promise.all([
  // A classic script: module scripts do not load from file://.
  context({
    ...common,
    entryPoints: [entry('script.ts')],
    write: false,
    format: 'iife',
    plugins: [texts, page],
  }),
  context({
    ...common,
    entryPoints: [entry('bundles.tsx')],
    write: false,
    format: 'iife',
    plugins: [texts, bundlesPage],
  }),
  // The module that notebooks load for every widget.
  context({
    ...common,
    entryPoints: [entry('widget.ts')],
    outfile: new URL('../karospace_jupyter/_static/widget.js', import.meta.url).pathname,
    format: 'esm',
  }),
  context({ ...common, entryPoints: [entry('lab.ts')], ...(await extension(lab, [texts])) }),
]);
if (process.argv.includes('--watch')) {
  await Promise.all(bundles.map((bundle) => bundle.watch()));
} else {
  try {
    const built = await Promise.all(bundles.map((bundle) => bundle.rebuild()));
    const packages = built.flatMap(({ metafile }) => packagesIn(metafile));
    await writeFile(new URL('NOTICES.txt', new URL('.', target)), await noticesOf(packages));
  } finally {
    await Promise.all(bundles.map((bundle) => bundle.dispose()));
  }
}
