"""The picture: layers to actors, camera, light, picking, overlay."""
