import { diagnosis } from './doctor.ts';

it('sluice doctor names what loads with its device, what does not with its reason, and what to do about it', async () => {
  process.env['SLUICE_TFJS_NODE'] = '/nowhere';
  process.env['SLUICE_HOME'] = '/nowhere';
  const text = await diagnosis();
  expect(text).toMatch(/^wasm +loads +\d+ x .* TensorFlow.js on WebAssembly/m);
  expect(text).toMatch(/^native +- +Cannot find module '\/nowhere'/m);
  expect(text).toMatch(/^frozen +- +Cannot find module '\/nowhere'/m);
  expect(text).toMatch(/^webgpu +- +it is not installed \(npm run setup:webgpu\)/m);
  expect(text).toContain('npm run setup:native');
});
