import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [vue()],
  build: {
    target: "es2021",
    modulePreload: false, // one script: nothing to preload
    assetsInlineLimit: 0, // no data: URL, so that the Content-Security-Policy needs none
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
  // `npm run dev`: the page from here, the rooms from a reference server on its default port.
  server: { proxy: { "/ws": { target: "ws://127.0.0.1:8801", ws: true } } },
});
